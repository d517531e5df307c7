import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
import { type Damage, type Library, openLibrary, temporaryDesiredState } from '../support/library.js';

let library: Library;
beforeAll(async () => {
  library = await openLibrary();
});
afterAll(() => library?.close());

const DAMAGES: readonly Damage[] = [
  {
    title: 'a missing column with a constant default comes back without a rewrite, existing rows included',
    sql: 'ALTER TABLE S.books DROP COLUMN stock',
    empty: ['add-column books.stock pending'],
    hazards: [],
    afterwards: 'SELECT bool_and(stock = 5) FROM held.books',
    never: /\bUPDATE\b/iu,
  },
  {
    title: 'a missing column with a volatile default is filled in batches, each row with a value of its own',
    sql: 'ALTER TABLE S.books DROP COLUMN token',
    empty: ['add-column books.token pending'],
    hazards: ['BACKFILL'],
    afterwards: 'SELECT count(DISTINCT token) = 50 FROM held.books',
    never: /ADD COLUMN token uuid DEFAULT/iu,
  },
  {
    title: 'a missing column that takes NULL is added',
    sql: 'DROP INDEX S.books_shelf_idx; ALTER TABLE S.books DROP COLUMN note',
    empty: ['add-column books.note pending', 'create-index books.books_shelf_idx pending'],
  },
  {
    title: 'a missing NOT NULL column without a default is blocked where rows exist, with the key that needs it',
    sql: 'ALTER TABLE S.books DROP COLUMN author_id',
    empty: ['add-column books.author_id pending', 'add-constraint books.books_author_fkey pending'],
    full: ['add-column books.author_id blocked', 'add-constraint books.books_author_fkey blocked'],
    obstacle: /holds rows/u,
  },
  {
    title: 'a missing generated column fills itself, and the rewrite is said',
    sql: 'ALTER TABLE S.books DROP COLUMN loud',
    empty: ['add-column books.loud pending'],
    hazards: ['TABLE_REWRITE'],
    afterwards: 'SELECT bool_and(loud = upper(title)) FROM held.books',
  },
  {
    title: 'another default becomes the declared one',
    sql: "ALTER TABLE S.books ALTER kind SET DEFAULT 'used', ALTER stock SET DEFAULT 6",
    empty: ['alter-column books.kind pending', 'alter-column books.stock pending'],
    hazards: [],
  },
  {
    title: 'a missing default is set',
    sql: 'ALTER TABLE S.books ALTER token DROP DEFAULT, ALTER added DROP DEFAULT',
    empty: ['alter-column books.token pending', 'alter-column books.added pending'],
  },
  {
    title: 'a default that nothing declares is dropped',
    sql: "ALTER TABLE S.books ALTER note SET DEFAULT 'x'",
    empty: ['alter-column books.note pending'],
  },
  {
    title: 'a missing NOT NULL is set through a validated check where rows exist',
    sql: 'ALTER TABLE S.books ALTER code DROP NOT NULL',
    empty: ['alter-column books.code pending'],
    hazards: ['TABLE_SCAN'],
  },
  {
    title: 'a NOT NULL that is not declared is dropped',
    sql: "UPDATE S.books SET note = 'x'; ALTER TABLE S.books ALTER note SET NOT NULL",
    empty: ['alter-column books.note pending'],
    hazards: [],
  },
  {
    title: 'varchar(32) for varchar(64) is widened in place, under its unique key',
    sql: 'ALTER TABLE S.books ALTER code TYPE varchar(32)',
    empty: ['alter-column books.code pending'],
    hazards: [],
    never: /DROP COLUMN|USING/u,
  },
  {
    title: 'varchar(128) for varchar(64) under a unique key is blocked where rows exist',
    sql: 'ALTER TABLE S.books ALTER code TYPE varchar(128)',
    empty: ['alter-column books.code pending'],
    full: ['alter-column books.code blocked'],
    obstacle: /holds rows.*books_code_key/u,
  },
  {
    title: 'varchar for text without a key is widened',
    sql: 'DROP INDEX S.books_shelf_idx; ALTER TABLE S.books ALTER note TYPE varchar(10)',
    empty: ['alter-column books.note pending', 'create-index books.books_shelf_idx pending'],
    hazards: ['INDEX_BUILD'],
  },
  {
    title:
      'varchar for text is blocked where rows exist and an index’s predicate names it, which the server would build again',
    sql: 'ALTER TABLE S.books ALTER note TYPE varchar(10)',
    empty: ['alter-column books.note pending'],
    full: ['alter-column books.note blocked'],
    obstacle: /holds rows, which PostgreSQL reads again under ACCESS EXCLUSIVE for index books_shelf_idx$/u,
  },
  {
    title: 'another type of a column that a check names is blocked where values exist',
    sql: 'ALTER TABLE S.books ALTER pages TYPE bigint',
    empty: ['replace-column books.pages pending', 'add-constraint books.books_pages_check pending'],
    full: ['replace-column books.pages blocked'],
    obstacle: /books.pages holds values/u,
  },
  {
    title: 'a column of another type without any value is dropped and added, its indexes and checks with it',
    sql: 'UPDATE S.books SET pages = NULL; ALTER TABLE S.books ALTER pages TYPE numeric',
    empty: ['replace-column books.pages pending', 'add-constraint books.books_pages_check pending'],
    hazards: ['COLUMN_DROPPED', 'TABLE_SCAN'],
  },
  {
    title: 'another type that a generated column depends on is blocked, naming it',
    sql: 'ALTER TABLE S.books DROP COLUMN loud; ALTER TABLE S.books ALTER title TYPE varchar(99), ADD loud text GENERATED ALWAYS AS (upper(title)) STORED',
    empty: ['alter-column books.title blocked'],
    obstacle: /generated column loud depends on the column/u,
  },
  {
    title: 'another type that a view depends on is blocked, naming it',
    sql: 'DROP MATERIALIZED VIEW S.summary; ALTER TABLE S.books ALTER kind TYPE varchar(20); CREATE VIEW S.mine AS SELECT kind FROM S.books; CREATE MATERIALIZED VIEW S.summary AS SELECT kind, count(*) AS books FROM S.books GROUP BY kind; CREATE UNIQUE INDEX summary_kind_idx ON S.summary (kind)',
    empty: ['alter-column books.kind blocked'],
    obstacle: /materialized view summary, view mine depend on the column/u,
    leavesMore: true,
  },
  {
    title:
      'another type that the body of a function and the row filter of a publication depend on is blocked, naming them',
    sql: `ALTER TABLE S.books ALTER note TYPE varchar(9), REPLICA IDENTITY FULL;
          CREATE FUNCTION S.first_note() RETURNS varchar LANGUAGE sql BEGIN ATOMIC SELECT note FROM S.books LIMIT 1; END;
          DROP PUBLICATION IF EXISTS noted; CREATE PUBLICATION noted FOR TABLE S.books WHERE (note = 'x')`,
    empty: ['alter-column books.note blocked'],
    obstacle: /function first_note, publication noted depend on the column/u,
    leavesMore: true,
  },
  {
    title: 'another collation is mended where no value is lost',
    sql: 'ALTER TABLE S.books ALTER shelf TYPE text COLLATE "POSIX"',
    empty: ['replace-column books.shelf pending', 'create-index books.books_shelf_idx pending'],
    full: ['replace-column books.shelf blocked'],
    obstacle: /books.shelf holds values/u,
  },
  {
    title: 'another generation expression is blocked where values exist, since computing them again rewrites',
    sql: 'ALTER TABLE S.books DROP COLUMN loud; ALTER TABLE S.books ADD loud text GENERATED ALWAYS AS (lower(title)) STORED',
    empty: ['replace-column books.loud pending'],
    full: ['replace-column books.loud blocked'],
    obstacle: /can be computed again/u,
  },
  {
    title: 'identity that is missing comes back beyond the numbers that are taken',
    sql: 'ALTER TABLE S.authors ALTER id DROP IDENTITY',
    empty: ['alter-column authors.id pending'],
    hazards: ['TABLE_SCAN'],
    afterwards: `SELECT nextval('held.authors_id_seq') = 4`,
  },
  {
    title: 'identity of another kind, or with other sequence options, is altered in place',
    sql: 'ALTER TABLE S.authors ALTER id SET GENERATED BY DEFAULT SET INCREMENT BY 5 SET CACHE 9',
    empty: ['alter-column authors.id pending'],
    hazards: [],
  },
  {
    title: 'identity over a sequence that was made too small for its numbers is blocked: ALTER TABLE would fail',
    sql: 'ALTER SEQUENCE S.authors_id_seq AS smallint',
    empty: ['alter-column authors.id blocked'],
    obstacle: /its sequence is AS smallint/u,
  },
  {
    title: 'a serial column where an identity is declared keeps its numbers, and goes on beyond them',
    sql: `ALTER TABLE S.authors ALTER id DROP IDENTITY; CREATE SEQUENCE S.own START 9 OWNED BY S.authors.id;
          ALTER TABLE S.authors ALTER id SET DEFAULT nextval('S.own')`,
    empty: ['alter-column authors.id pending'],
    afterwards: `SELECT nextval('held.authors_id_seq') = 4`,
    leavesMore: true,
  },
  {
    title: 'identity where none is declared goes',
    sql: 'ALTER TABLE S.books ALTER stock DROP DEFAULT, ALTER stock ADD GENERATED BY DEFAULT AS IDENTITY',
    empty: ['alter-column books.stock pending', 'alter-column books.stock pending'],
  },
  {
    title:
      'identity where none is declared stays while another column draws from its sequence: PostgreSQL refuses to drop that',
    sql: `ALTER TABLE S.books ALTER stock DROP DEFAULT, ALTER stock ADD GENERATED BY DEFAULT AS IDENTITY;
          ALTER TABLE S.authors ADD own int DEFAULT nextval('S.books_stock_seq')`,
    empty: ['alter-column books.stock blocked', 'alter-column books.stock blocked'],
    obstacle: /its sequence goes with it, which the default of column own of authors uses/u,
  },
];

describe('C9: a column', () => {
  it.each(DAMAGES)('$title', async (damage) => {
    await library.suffer(damage);
  });
});

it('a column of another type and another collation says both: the type alone might be altered in place', async () => {
  const { test, fleet, options } = library;
  await test.exec(
    'DROP MATERIALIZED VIEW bare.summary; ALTER TABLE bare.books ALTER kind TYPE varchar(8) COLLATE "POSIX"',
  );
  const plan = await fleet.plan(options);
  expect(itemsOf(plan, 'bare').map(({ change }) => change.reason)).toContainEqual(
    expect.stringMatching(/^type is character varying\(8\), declared .*; collation is "POSIX", declared the default$/u),
  );
  await fleet.apply(options);
  expect((await fleet.plan(options)).summary).toMatchObject({ inSync: 3 });
});

it.each([
  ['sentinels', 'always', '(-1), (0)', 1],
  ['below_start', '{ kind: always, start: 1000, minimum: 1000 }', '(7), (999)', 1000],
  ['downwards', '{ kind: always, start: -5, increment: -1 }', '(0), (3)', -5],
  ['at_start', '{ kind: always, start: 7 }', '(7)', 8],
  ['beyond', '{ kind: always, start: 7 }', '(7), (70)', 71],
])(
  'an identity over numbers begins at its start, or beyond those that are taken: %s',
  async (schema, identity, rows, next) => {
    const { test, fleet } = library;
    const directory = temporaryDesiredState({
      'fleet.yaml': 'version: 1\ntenants: { having_tables: [units] }\nphases: [{ name: base, file: base.yaml }]',
      'base.yaml': `tables: { units: { columns: { id: { type: int, identity: ${identity} } } } }`,
    });
    await test.exec(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.units (id int NOT NULL);
    INSERT INTO ${schema}.units VALUES ${rows}`);
    const { tenants } = await fleet.apply({ directory, schemas: [schema] });
    expect(tenants).toMatchObject([{ outcome: 'converged', error: null }]);
    expect(await test.query(`INSERT INTO ${schema}.units DEFAULT VALUES RETURNING id`)).toEqual([{ id: next }]);
  },
);

it.each([
  ['an enum', 'state', '', [], 'converged', false],
  ['a domain that checks nothing', 'free', ', default: "7"', [], 'converged', false],
  ['a domain with a check', 'amount', '', ['TABLE_REWRITE'], 'converged', true],
  ['a domain over one with a check', 'price', ', default: "5"', ['TABLE_REWRITE'], 'converged', true],
  [
    'a domain with a check, by a volatile default',
    'amount',
    ', default: 1 + length(timeofday())',
    ['TABLE_REWRITE'],
    'converged',
    true,
  ],
  ['a domain that is NOT NULL, with a default', 'needed_five', '', ['TABLE_REWRITE'], 'converged', true],
  ['a domain that is NOT NULL', 'needed', '', [], 'blocked', false],
  ['a domain that checks that there is a value', 'checked', '', [], 'blocked', false],
])(
  'a missing column of %s says whether it rewrites a table that holds rows',
  async (what, type, rest, hazards, outcome, rewrites) => {
    const { test, fleet } = library;
    const schema = what.toLowerCase().replace(/\W/gu, '_');
    const directory = temporaryDesiredState({
      'fleet.yaml': 'version: 1\ntenants: { having_tables: [units] }\nphases: [{ name: base, file: base.yaml }]',
      'base.yaml': `tables: { units: { columns: { id: int, v: { type: '\${schema}.${type}'${rest} } } } }`,
    });
    await test.exec(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.units (id int); INSERT INTO ${schema}.units VALUES (1);
    CREATE TYPE ${schema}.state AS ENUM ('new'); CREATE DOMAIN ${schema}.free AS int; CREATE DOMAIN ${schema}.amount AS int CHECK (VALUE > 0);
    CREATE DOMAIN ${schema}.price AS ${schema}.amount; CREATE DOMAIN ${schema}.needed AS int NOT NULL;
    CREATE DOMAIN ${schema}.needed_five AS int NOT NULL DEFAULT 5; CREATE DOMAIN ${schema}.checked AS int CHECK (VALUE IS NOT NULL)`);
    const stored = async () => test.query(`SELECT pg_relation_filenode('${schema}.units') AS file`);
    const before = await stored();
    const [item] = itemsOf(await fleet.plan({ directory, schemas: [schema] }), schema);
    expect(item?.change.hazards).toEqual(hazards);
    expect((await fleet.apply({ directory, schemas: [schema] })).tenants).toMatchObject([{ outcome, error: null }]);
    expect(JSON.stringify(await stored()) !== JSON.stringify(before)).toBe(rewrites);
  },
);

describe('C10: NOT NULL wanted where rows hold NULL', () => {
  it('fails that tenant alone, leaves no check behind, and converges once the rows are mended', async () => {
    const { test, fleet, options } = library;
    for (const schema of ['bare', 'held']) await test.exec(`ALTER TABLE ${schema}.books ALTER code DROP NOT NULL`);
    await test.exec(`UPDATE held.books SET code = NULL WHERE pages = 7`);
    const outcome = await fleet.apply(options);
    expect(outcome.tenants.map((tenant) => [tenant.schema, tenant.outcome])).toEqual([
      ['bare', 'converged'],
      ['good', 'in-sync'],
      ['held', expect.stringMatching(/^(?:failed|blocked)$/u)],
    ]);
    expect(
      await test.query(
        `SELECT conname FROM pg_constraint WHERE connamespace = 'held'::regnamespace AND conname LIKE 'trueup%'`,
      ),
    ).toEqual([]);
    await test.exec(`UPDATE held.books SET code = 'found' WHERE code IS NULL`);
    expect((await fleet.apply(options)).summary).toMatchObject({ converged: 1, inSync: 2 });
    expect(changesOf(await fleet.plan(options), 'held')).toEqual([]);
  });
});
