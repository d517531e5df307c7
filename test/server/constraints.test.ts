import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changesOf } from '../support/fleet.js';
import { type Damage, type Library, openLibrary } from '../support/library.js';

let library: Library;
beforeAll(async () => {
  library = await openLibrary();
});
afterAll(() => library?.close());

const RECREATE_BOOKS = `DROP MATERIALIZED VIEW S.summary; DROP TABLE S.books`;

const DAMAGES: readonly Damage[] = [
  {
    title: 'a missing CHECK is added NOT VALID and validated where rows exist',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_pages_check',
    empty: ['add-constraint books.books_pages_check pending'],
    hazards: ['TABLE_SCAN'],
  },
  {
    title: 'a CHECK over another expression is replaced',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_pages_check, ADD CONSTRAINT books_pages_check CHECK (pages > -1)',
    empty: ['replace-constraint books.books_pages_check pending'],
    hazards: ['TABLE_SCAN'],
  },
  {
    title: 'a CHECK that is NOT VALID is validated',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_pages_check, ADD CONSTRAINT books_pages_check CHECK (pages >= 0) NOT VALID',
    empty: ['validate-constraint books.books_pages_check pending'],
    hazards: ['TABLE_SCAN'],
    never: /DROP CONSTRAINT/u,
  },
  {
    title: 'a CHECK under another name is renamed',
    sql: 'ALTER TABLE S.books RENAME CONSTRAINT books_kind_check TO books_check7',
    empty: ['rename-constraint books.books_kind_check pending'],
    hazards: [],
  },
  {
    title: 'a CHECK that is NO INHERIT is another one',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_pages_check, ADD CONSTRAINT books_pages_check CHECK (pages >= 0) NO INHERIT',
    empty: ['replace-constraint books.books_pages_check pending'],
  },
  {
    title: 'a NOT VALID constraint under another name is renamed, and validated',
    sql: `ALTER TABLE S.books DROP CONSTRAINT books_author_fkey;
          ALTER TABLE S.books ADD CONSTRAINT mine FOREIGN KEY (author_id) REFERENCES S.authors (id) ON DELETE CASCADE NOT VALID`,
    empty: ['rename-constraint books.books_author_fkey pending'],
    hazards: ['TABLE_SCAN'],
  },
  {
    title: 'a missing foreign key is added NOT VALID and validated where rows exist',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_author_fkey',
    empty: ['add-constraint books.books_author_fkey pending'],
    hazards: ['TABLE_SCAN'],
  },
  {
    title: 'a foreign key with another action is replaced',
    sql: `ALTER TABLE S.books DROP CONSTRAINT books_author_fkey;
          ALTER TABLE S.books ADD CONSTRAINT books_author_fkey FOREIGN KEY (author_id) REFERENCES S.authors (id) ON DELETE SET NULL`,
    empty: ['replace-constraint books.books_author_fkey pending'],
  },
  {
    title: 'a deferrable foreign key is another one than one that is not',
    sql: 'ALTER TABLE S.books ALTER CONSTRAINT books_author_fkey DEFERRABLE INITIALLY DEFERRED',
    empty: ['replace-constraint books.books_author_fkey pending'],
  },
  {
    title: 'a foreign key onto another tenant’s table of the same name is replaced',
    sql: `ALTER TABLE S.books DROP CONSTRAINT books_author_fkey;
          INSERT INTO good.authors (id, name) OVERRIDING SYSTEM VALUE SELECT n, 'x' FROM generate_series(1, 3) n ON CONFLICT DO NOTHING;
          ALTER TABLE S.books ADD CONSTRAINT books_author_fkey FOREIGN KEY (author_id) REFERENCES good.authors (id) ON DELETE CASCADE`,
    empty: ['replace-constraint books.books_author_fkey pending'],
  },
  {
    title: 'a missing UNIQUE is built concurrently where rows exist',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_code_key',
    empty: ['add-constraint books.books_code_key pending'],
    hazards: ['INDEX_BUILD'],
    never: /ADD CONSTRAINT books_code_key UNIQUE \(/u,
  },
  {
    title: 'a UNIQUE over other columns keeps enforcing until the declared one is built',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_code_key, ADD CONSTRAINT books_code_key UNIQUE (kind, code)',
    empty: ['replace-constraint books.books_code_key pending'],
    hazards: ['INDEX_BUILD', 'INDEX_DROPPED'],
  },
  {
    title: 'a UNIQUE with NULLS NOT DISTINCT is another one',
    sql: 'ALTER TABLE S.authors DROP CONSTRAINT authors_email_key, ADD CONSTRAINT authors_email_key UNIQUE NULLS NOT DISTINCT (email)',
    empty: ['replace-constraint authors.authors_email_key pending'],
  },
  {
    title: 'a UNIQUE that is deferrable is another one',
    sql: 'ALTER TABLE S.authors DROP CONSTRAINT authors_email_key, ADD CONSTRAINT authors_email_key UNIQUE (email) DEFERRABLE',
    empty: ['replace-constraint authors.authors_email_key pending'],
  },
  {
    title: 'a UNIQUE under another name is renamed',
    sql: 'ALTER TABLE S.authors RENAME CONSTRAINT authors_email_key TO authors_email_key1',
    empty: ['rename-constraint authors.authors_email_key pending'],
    hazards: [],
  },
  {
    title: 'a plain unique index that has the name of a UNIQUE constraint makes way for it',
    sql: 'ALTER TABLE S.authors DROP CONSTRAINT authors_email_key; CREATE UNIQUE INDEX authors_email_key ON S.authors (email)',
    empty: ['add-constraint authors.authors_email_key pending'],
  },
  {
    title: 'a missing primary key comes back before the foreign key that needs it',
    sql: 'ALTER TABLE S.authors DROP CONSTRAINT authors_pkey CASCADE',
    empty: ['add-constraint authors.authors_pkey pending', 'add-constraint books.books_author_fkey pending'],
    hazards: ['INDEX_BUILD', 'TABLE_SCAN'],
  },
  {
    title: 'a primary key over other columns is replaced',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_pkey, ADD CONSTRAINT books_pkey PRIMARY KEY (id, code)',
    empty: ['replace-constraint books.books_pkey pending'],
  },
  {
    title: 'a primary key under another name is renamed',
    sql: 'ALTER TABLE S.authors RENAME CONSTRAINT authors_pkey TO writers_pkey',
    empty: ['rename-constraint authors.authors_pkey pending'],
  },
  {
    title: 'a primary key of another name and other columns goes for the declared one',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_pkey, ADD CONSTRAINT old_pkey PRIMARY KEY (code, kind)',
    empty: ['replace-constraint books.books_pkey pending'],
  },
  {
    title: 'a unique constraint where a primary key of that name is declared',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_pkey, ADD CONSTRAINT books_pkey UNIQUE (id)',
    empty: ['replace-constraint books.books_pkey pending'],
  },
  {
    title: 'a primary key that a foreign key rests on is replaced with it, or said to be in the way',
    sql: `ALTER TABLE S.authors DROP CONSTRAINT authors_pkey CASCADE;
          ALTER TABLE S.authors ADD CONSTRAINT authors_pkey PRIMARY KEY (id) INCLUDE (name);
          ALTER TABLE S.books ADD CONSTRAINT books_author_fkey FOREIGN KEY (author_id) REFERENCES S.authors (id) ON DELETE CASCADE`,
    empty: ['replace-constraint authors.authors_pkey blocked'],
    obstacle: /books_author_fkey/u,
  },
  {
    title: 'an unlogged table is made logged where it is empty, and blocked where a rewrite would read rows',
    sql: 'ALTER TABLE S.books SET UNLOGGED',
    empty: ['alter-table books.books pending'],
    full: ['alter-table books.books blocked'],
    obstacle: /rewrites the table/u,
  },
  {
    title: 'a key that was renamed gets its name back from an index that took it',
    sql: 'ALTER TABLE S.books RENAME CONSTRAINT books_pkey TO other; CREATE UNIQUE INDEX books_pkey ON S.books (id)',
    empty: ['rename-constraint books.books_pkey pending'],
  },
  {
    title: 'a key that was renamed leaves the name that it took to the index that is declared under it',
    sql: 'DROP INDEX S.books_kind_idx; ALTER TABLE S.books RENAME CONSTRAINT books_code_key TO books_kind_idx',
    empty: ['rename-constraint books.books_code_key pending', 'create-index books.books_kind_idx pending'],
  },
  {
    title: 'a key under the name of an index is in the way where a foreign key rests on it, and said so',
    sql: `DROP INDEX S.books_kind_idx; ALTER TABLE S.books ADD CONSTRAINT books_kind_idx UNIQUE (token);
          ALTER TABLE S.authors ADD best uuid REFERENCES S.books (token)`,
    empty: ['rebuild-index books.books_kind_idx blocked'],
    obstacle: /foreign key authors_best_fkey of table authors rests on it/u,
    leavesMore: true,
  },
  {
    title: 'a key under the name of an index goes with a column that it includes, and not twice',
    sql: `DROP INDEX S.books_kind_idx; ALTER TABLE S.books ADD CONSTRAINT books_kind_idx UNIQUE (token) INCLUDE (pages);
          UPDATE S.books SET pages = NULL; ALTER TABLE S.books ALTER pages TYPE numeric`,
    empty: [
      'replace-column books.pages pending',
      'add-constraint books.books_pages_check pending',
      'create-index books.books_kind_idx pending',
    ],
  },
  {
    title: 'a foreign key waits until the table that it references is logged',
    sql: 'ALTER TABLE S.books DROP CONSTRAINT books_author_fkey; ALTER TABLE S.authors SET UNLOGGED',
    empty: ['alter-table authors.authors pending', 'add-constraint books.books_author_fkey pending'],
    full: ['alter-table authors.authors blocked', 'add-constraint books.books_author_fkey blocked'],
    obstacle: /rewrites the table/u,
  },
  {
    title: 'a missing table comes back with its constraints, its indexes and the view over it',
    sql: RECREATE_BOOKS,
    empty: [
      'create-table books.books pending',
      'create-index books.books_kind_idx pending',
      'create-index books.books_shelf_idx pending',
      'add-constraint books.books_author_fkey pending',
      'create-materialized-view summary.summary pending',
      'create-index summary.summary_kind_idx pending',
    ],
  },
  {
    title: 'a missing materialized view comes back filled, with its index',
    sql: 'DROP MATERIALIZED VIEW S.summary',
    empty: ['create-materialized-view summary.summary pending', 'create-index summary.summary_kind_idx pending'],
    afterwards: 'SELECT sum(books) = 50 FROM held.summary',
  },
  {
    title: 'a materialized view with another query is replaced',
    sql: 'DROP MATERIALIZED VIEW S.summary; CREATE MATERIALIZED VIEW S.summary AS SELECT kind, sum(pages) AS books FROM S.books GROUP BY kind; CREATE UNIQUE INDEX summary_kind_idx ON S.summary (kind)',
    empty: ['replace-materialized-view summary.summary pending', 'create-index summary.summary_kind_idx pending'],
    afterwards: 'SELECT sum(books) = 50 FROM held.summary',
  },
  {
    title: 'a materialized view over another tenant’s table is replaced',
    sql: 'DROP MATERIALIZED VIEW S.summary; CREATE MATERIALIZED VIEW S.summary AS SELECT kind, count(*) AS books FROM good.books GROUP BY kind; CREATE UNIQUE INDEX summary_kind_idx ON S.summary (kind)',
    empty: ['replace-materialized-view summary.summary pending', 'create-index summary.summary_kind_idx pending'],
  },
  {
    title: 'an index of a materialized view that is missing is built',
    sql: 'DROP INDEX S.summary_kind_idx',
    empty: ['create-index summary.summary_kind_idx pending'],
  },
  {
    title: 'a plain view where a materialized one is declared is in the way, and said so',
    sql: 'DROP MATERIALIZED VIEW S.summary; CREATE VIEW S.summary AS SELECT kind, count(*) AS books FROM S.books GROUP BY kind',
    empty: ['create-materialized-view summary.summary blocked'],
    obstacle: /never drops a table or a view/u,
    leavesMore: true,
  },
];

describe('C9: a constraint, a table or a view', () => {
  it.each(DAMAGES)('$title', async (damage) => {
    await library.suffer(damage);
  });
});

describe('C10: a constraint that existing rows violate', () => {
  const violations = [
    {
      title: 'UNIQUE over duplicates',
      sql: `ALTER TABLE held.books DROP CONSTRAINT books_code_key; UPDATE held.books SET code = 'twice' WHERE pages IN (2, 4)`,
      mend: `UPDATE held.books SET code = 'once' WHERE pages = 2`,
      says: /twice|duplicate|unique/u,
    },
    {
      title: 'CHECK',
      sql: 'ALTER TABLE held.books DROP CONSTRAINT books_pages_check; UPDATE held.books SET pages = -1 WHERE pages = 3',
      mend: 'UPDATE held.books SET pages = 3 WHERE pages = -1',
      says: /books_pages_check/u,
    },
    {
      title: 'FOREIGN KEY onto rows that are gone',
      sql: 'ALTER TABLE held.books DROP CONSTRAINT books_author_fkey; UPDATE held.books SET author_id = 77 WHERE pages = 3',
      mend: 'UPDATE held.books SET author_id = 1 WHERE author_id = 77',
      says: /books_author_fkey/u,
    },
  ];
  it.each(violations)(
    '$title: that tenant fails alone, enforces nothing it did not, and converges once mended',
    async (violation) => {
      const { test, fleet, options } = library;
      await test.exec(violation.sql);
      await test.exec('ALTER TABLE bare.books DROP CONSTRAINT books_pages_check');
      const outcome = await fleet.apply(options);
      expect(outcome.summary).toMatchObject({ tenants: 3, inSync: 1, converged: 1 });
      const held = outcome.tenants.find((tenant) => tenant.schema === 'held');
      expect(['failed', 'blocked']).toContain(held?.outcome);
      const told = held?.error?.message ?? held?.changes.map(({ item }) => item.change.obstacle).join();
      expect(told).toMatch(violation.says);
      const left = `SELECT relname FROM pg_class WHERE relnamespace = 'held'::regnamespace AND relname LIKE 'trueup%'
      UNION SELECT conname FROM pg_constraint WHERE connamespace = 'held'::regnamespace AND (conname LIKE 'trueup%' OR NOT convalidated)`;
      expect(await test.query(left)).toEqual([]);
      await test.exec(violation.mend);
      expect((await fleet.apply(options)).summary).toMatchObject({ converged: 1, inSync: 2 });
      expect(changesOf(await fleet.plan(options), 'held')).toEqual([]);
    },
  );
});
