import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { loadDesiredState } from '../../src/desired-state/load.js';
import { createMember, insertBank, KINDS } from '../support/banks.js';
import { optionsFor } from '../support/desired-state-fixture.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { inspected } from '../support/inspected.js';
import { loadReferenceTenant, referenceTenantSql } from '../support/reference-tenant.js';
import { VIDEO_SHOP } from '../support/samples.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const made = async (schema: string, sql: string) => {
  await test.exec(`CREATE SCHEMA "${schema}"; ${sql.replaceAll(/\bS\./gu, () => `"${schema}".`)}`);
  return inspected(fleet.database, schema);
};

/** Changes of one tenant under inspected files. */
const drift = async (directory: string, schema: string) =>
  changesOf(await fleet.plan({ directory, schemas: [schema] }), schema);

describe('the reference tenant', () => {
  it.runIf(referenceTenantSql('x') !== null)(
    'inspected, is in sync with its twin, and a damaged one is not',
    async () => {
      for (const schema of ['ref_a', 'ref_b', 'ref_c']) await loadReferenceTenant(test, schema);
      await test.exec('DROP INDEX ref_c.idx_banks_config; ALTER TABLE ref_c.banks DROP COLUMN mission');
      const found = await inspected(fleet.database, 'ref_a');
      const plan = await fleet.plan({ directory: found.directory });
      expect(plan.summary).toMatchObject({ tenants: 3, inSync: 2 });
      expect(plan.databases[0]?.unmanaged).toEqual({ tables: 0, columns: 0, indexes: 0 });
      expect(changesOf(plan, 'ref_c').toSorted()).toEqual([
        'add-column banks.mission pending',
        'create-index banks.idx_banks_config pending',
      ]);
      for (const schema of ['ref_a', 'ref_b', 'ref_c']) await test.exec(`DROP SCHEMA ${schema} CASCADE`);
    },
  );
});

describe('the schema of pgbench, which PostgreSQL brings', () => {
  it('inspected, is in sync with its twin, and a damaged one is not', async () => {
    const schemas = ['bench_a', 'bench_b', 'bench_c'];
    for (const schema of schemas) {
      await test.exec(`CREATE SCHEMA ${schema}`);
      const program = join(inject('testServer').bin ?? '', 'pgbench');
      const { status, stderr } = spawnSync(program, ['--initialize', '--quiet', '--foreign-keys', test.url], {
        encoding: 'utf8',
        env: { ...process.env, PGOPTIONS: `-c search_path=${schema}` },
      });
      expect(status, stderr).toBe(0);
    }
    await test.exec(`ALTER TABLE bench_c.pgbench_accounts DROP CONSTRAINT pgbench_accounts_bid_fkey;
      ALTER TABLE bench_c.pgbench_tellers ALTER filler TYPE char(80)`);
    const found = await inspected(fleet.database, 'bench_a');
    const plan = await fleet.plan({ directory: found.directory });
    expect(plan.summary).toMatchObject({ tenants: 3, inSync: 2 });
    expect(changesOf(plan, 'bench_c').toSorted()).toEqual([
      'add-constraint pgbench_accounts.pgbench_accounts_bid_fkey pending',
      'replace-column pgbench_tellers.filler pending',
    ]);
    for (const schema of schemas) await test.exec(`DROP SCHEMA ${schema} CASCADE`);
  });
});

describe('index families', () => {
  beforeAll(async () => {
    await fleet.provision(['one', 'two']);
    for (const schema of ['one', 'two'])
      for (const n of schema === 'one' ? [1, 2] : [3]) {
        await test.exec(insertBank(schema, n, `o'brien ${n}`));
        for (const { code } of KINDS) await test.exec(createMember(schema, n, `o'brien ${n}`, code));
      }
  });

  it.each(['one', 'two'])('of the shipped desired state’s tenant %s are written from its rows', async (schema) => {
    const found = await inspected(fleet.database, schema);
    expect(found.families).toEqual([
      {
        table: 'memory_units',
        name: 'idx_mu_emb_${fact_type.code}_${row.internal_id_16}',
        members: schema === 'one' ? 6 : 3,
      },
    ]);
    const base = found.text('base.yaml');
    expect(base).toContain('- { value: experience, code: expr }');
    expect(base).toContain("left(replace(internal_id::text, '-', ''), 16)");
    expect(found.text('fleet.yaml')).toContain('release: { table: alembic_version, column: version_num, accepts: [');
    // Values of rows stay out of the files, the stamp aside.
    expect(base).not.toMatch(/brien|aaaa4aaa/u);
    expect(found.values).toEqual([
      'fleet.yaml, release.accepts: the value of alembic_version.version_num',
      expect.stringMatching(/^base\.yaml, memory_units, idx_mu_emb_.*: constants of its predicates$/u),
    ]);
    expect((await fleet.plan({ directory: found.directory })).summary).toMatchObject({ tenants: 2, inSync: 2 });
  });

  const member = 'idx_mu_emb_worl_11111111aaaa4aaa';
  it.each([
    ['a member is missing', `DROP INDEX one.${member}`, createMember('one', 1, "o'brien 1", 'worl')],
    [
      'a member has another name',
      `ALTER INDEX one.${member} RENAME TO idx_mu_emb_mine`,
      `ALTER INDEX one.idx_mu_emb_mine RENAME TO ${member}`,
    ],
    ['a row has no members', insertBank('one', 5, 'five'), "DELETE FROM one.banks WHERE bank_id = 'five'"],
    [
      'a member of nobody is there',
      createMember('one', 7, 'nobody', 'worl'),
      'DROP INDEX one.idx_mu_emb_worl_77777777aaaa4aaa',
    ],
    [
      'a member has another predicate',
      `DROP INDEX one.${member}; ${createMember('one', 1, 'someone else', 'worl')}`,
      `DROP INDEX one.${member}; ${createMember('one', 1, "o'brien 1", 'worl')}`,
    ],
  ])('are listed plainly, with a note, where %s', async (_, damage, repair) => {
    await test.exec(damage);
    try {
      const found = await inspected(fleet.database, 'one');
      expect(found.families).toEqual([]);
      expect(found.text('base.yaml')).toContain('name: idx_mu_emb_obsv_22222222aaaa4aaa');
      expect(found.notes.filter(({ table }) => table === 'memory_units').map(({ why }) => why)).toEqual([
        expect.stringContaining('remove them here: what no phase owns and no file declares is left alone'),
      ]);
      expect(await drift(found.directory, 'one')).toEqual([]);
      // As the note says: another tenant is asked for these very indexes.
      expect(await drift(found.directory, 'two')).toContain(
        'create-index memory_units.idx_mu_emb_obsv_22222222aaaa4aaa pending',
      );
    } finally {
      await test.exec(repair);
    }
  });
});

it('indexes that no rows explain are not listed by the hundreds, and the tenant is in sync', async () => {
  const found = await made(
    'many',
    `CREATE TABLE S.orders (shop text, at timestamptz); CREATE TABLE S.shops (code text);
     INSERT INTO S.shops SELECT 'shop' || n FROM generate_series(1, 310) n;
     ${Array.from({ length: 309 }, (_, n) => `CREATE INDEX orders_shop${n + 1} ON S.orders (at) WHERE shop = 'shop${n + 1}';`).join('\n')}`,
  );
  expect(found.text('base.yaml')).not.toContain('name: orders_shop');
  expect(found.notes.map(({ why }) => why)).toEqual([expect.stringContaining('too many to list')]);
  expect(await drift(found.directory, 'many')).toEqual([]);
});

it('partial indexes that are one but for their names are said to be that', async () => {
  const found = await made(
    'twins',
    `CREATE TABLE S.orders (shop text, at timestamptz);
     CREATE INDEX orders_one ON S.orders (at) WHERE shop = 'x'; CREATE INDEX orders_two ON S.orders (at) WHERE shop = 'x'`,
  );
  expect(found.notes.map(({ what, why }) => `${what}: ${why}`)).toEqual([
    'indexes orders_one, orders_two: they differ only in their names: listed plainly, so that every tenant should have these very indexes. Where one of them is enough, remove the others here: what no phase owns and no file declares is left alone, in this tenant and in the others',
  ]);
  expect(await drift(found.directory, 'twins')).toEqual([]);
});

it('a table without a column that the format can say is left out, with what needs it', async () => {
  const found = await made(
    'bare',
    `CREATE COLLATION S.by_number (provider = icu, locale = 'en-u-kn');
     CREATE TABLE S.nothing (); CREATE TABLE S.words (word text COLLATE S.by_number PRIMARY KEY);
     CREATE TABLE S.uses (id int PRIMARY KEY, word text COLLATE S.by_number REFERENCES S.words);
     CREATE MATERIALIZED VIEW S.counted AS SELECT count(*) FROM S.words`,
  );
  const notes = found.notes.map(({ what, why }) => `${what}: ${why}`);
  expect(notes).toContain('table nothing: it has no column that the format can say');
  expect(notes).toContain('table words: it has no column that the format can say');
  expect(notes).toContain('materialized view counted: it needs table words, which is left out');
  expect(found.text('base.yaml')).toMatch(/^tables:\n(?: +#.*\n)* {2}uses:\n {4}columns:\n {6}id:/mu);
  expect(await drift(found.directory, 'bare')).toEqual([]);
});

it('a foreign key onto a partitioned table is one key, not one more for each partition', async () => {
  await test.exec(`CREATE SCHEMA parted; CREATE TABLE parted.zones (zone int PRIMARY KEY) PARTITION BY LIST (zone);
    CREATE TABLE parted.one PARTITION OF parted.zones FOR VALUES IN (1);
    CREATE TABLE parted.more PARTITION OF parted.zones DEFAULT`);
  const found = await made(
    'zoned',
    `CREATE TABLE S.days (day int PRIMARY KEY) PARTITION BY LIST (day);
     CREATE TABLE S.monday PARTITION OF S.days FOR VALUES IN (1);
     CREATE TABLE S.shops (zone int CONSTRAINT shops_zone REFERENCES parted.zones, day int CONSTRAINT shops_day REFERENCES S.days)`,
  );
  expect(found.text('base.yaml').match(/name: shops_.*/gu)).toHaveLength(1);
  expect(found.notes.map(({ what }) => what).filter((what) => what.includes('shops'))).toEqual([
    expect.stringContaining('shops_day'),
  ]);
  await fleet.provision(['zoned_b'], { directory: found.directory });
  await test.exec('ALTER TABLE zoned_b.shops DROP CONSTRAINT shops_zone');
  expect(await drift(found.directory, 'zoned_b')).toEqual(['add-constraint shops.shops_zone pending']);
  const outcome = await fleet.apply({ directory: found.directory, schemas: ['zoned_b'] });
  expect(outcome.tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  await test.exec('INSERT INTO parted.zones VALUES (1), (2); INSERT INTO zoned_b.shops VALUES (1), (2)');
});

it('a view whose table is called like the schema is made in another tenant', async () => {
  const shop = `CREATE TABLE S.shop (id int PRIMARY KEY, name text);
    CREATE MATERIALIZED VIEW S.names AS SELECT s.name, shop.id FROM S.shop JOIN S.shop s USING (id)`;
  const found = await made('shop', shop);
  const outcome = await fleet.apply({ directory: found.directory, schemas: ['shop_b'], createSchema: true });
  expect(outcome.tenants.map(({ outcome: of, error }) => [of, error])).toEqual([['converged', null]]);
});

it('an extension’s operators in one tenant’s schema are that tenant’s no more than the others’', async () => {
  const database = await createTestDatabase({ template: false });
  const own = await openFleet(database.url);
  try {
    await database.exec('CREATE SCHEMA host; CREATE EXTENSION pg_trgm SCHEMA host; CREATE SCHEMA guest');
    for (const schema of ['host', 'guest'])
      await database.exec(`CREATE TABLE ${schema}.words (id int, word text CHECK ((word OPERATOR(host.<->) 'x') > 0.1));
        CREATE INDEX near ON ${schema}.words (id) WHERE (word OPERATOR(host.<->) 'a') < 0.5`);
    for (const schema of ['host', 'guest']) {
      const { directory } = await inspected(own.database, schema);
      expect((await own.plan({ directory })).summary).toMatchObject({ tenants: 2, inSync: 2 });
    }
  } finally {
    await own.close();
    await database.drop();
  }
});

describe('a tenant with what sample databases have', () => {
  let found: Awaited<ReturnType<typeof inspected>>;
  beforeAll(async () => {
    found = await made('Video Shop', VIDEO_SHOP);
  });

  it('is in sync with its own files', async () => {
    expect(await drift(found.directory, 'Video Shop')).toEqual([]);
  });

  it('is found by its tables', async () => {
    const plan = await fleet.plan({ directory: found.directory });
    expect(plan.databases[0]?.tenants.map(({ schema }) => schema)).toEqual(['Video Shop']);
  });

  it('keeps all that the format can say', async () => {
    const state = await loadDesiredState(optionsFor(found.directory));
    expect(state.extensions.map(({ name, schema }) => `${name} in ${schema}`)).toEqual([
      'pg_trgm in public',
      'vector in public',
    ]);
    expect(state.tables.map(({ name }) => name)).toEqual([
      'countries',
      'films',
      'inventory',
      'bookings',
      'checked',
      'cache',
      'cargo',
      'films_by_country',
      'halves',
      'countries_twice',
    ]);
    const films = state.tables.find(({ name }) => name === 'films');
    expect(films?.columns.map(({ name }) => name)).toHaveLength(14);
    expect(films?.indexes.map(({ name }) => name)).toHaveLength(7);
    expect(films?.constraints.map(({ name }) => name)).toEqual([
      'films_pkey',
      'films title per year',
      'films_features',
      'films_rate_check',
      'films_country_id_fkey',
    ]);
  });

  it('says what is left out, and why', async () => {
    const text = found.notes.map(({ what, why }) => `${what}: ${why}`).toSorted();
    expect(text).toEqual([
      'column sorted_as of countries: its collation "schema".by_number is not one of pg_catalog',
      'constraint bookings_during_excl of bookings: it is an exclusion constraint',
      'constraint checked_amount of checked: it is NOT VALID, and the format declares what holds for every row',
      'functions half, touch: trueup makes no functions: a new tenant needs them before its tables',
      'index countries_sorted_as of countries: it needs column sorted_as of countries, which is left out',
      'inheritance of cargo: other tables inherit from it; it is written as a plain table',
      'materialized view income: it needs table payments, which the files do not declare',
      'partitioned table payments: the format has no partitioned tables',
      'policy mine of countries: the format has no row security',
      'row security of countries: the format has no row security',
      'sequence shared_numbers: trueup makes no sequences of their own: a new tenant needs it before a table whose default draws from it',
      'table heavy_cargo: it inherits from cargo, and the format has no inheritance',
      'table payments_2024: it is a partition of payments, and the format has none',
      'text search configuration words: trueup makes no text search configurations: a new tenant needs them before its tables',
      'trigger countries_touch of countries: the format has no triggers',
      'types rating, year: trueup makes no types: a new tenant needs them before its tables',
      'view film_list: the format has no plain views',
    ]);
    for (const { what } of found.notes) expect(found.text('base.yaml').replaceAll(/\n# */gu, ' ')).toContain(what);
  });

  it('gives files that make another tenant, whose own files are the same', async () => {
    // What trueup does not make, the application does.
    const first = VIDEO_SHOP.slice(0, VIDEO_SHOP.indexOf('CREATE COLLATION'));
    await test.exec(`CREATE SCHEMA shop_2; ${first.replaceAll(/\bS\./gu, 'shop_2.')}`);
    const outcome = await fleet.apply({ directory: found.directory, schemas: ['shop_2'] });
    expect(outcome.tenants.map(({ outcome: of, error }) => [of, error])).toEqual([['converged', null]]);
    const second = await inspected(fleet.database, 'shop_2');
    const body = (text: string) => text.slice(text.indexOf('extensions:')).replaceAll(/^ *#.*\n/gmu, '');
    expect(body(second.text('base.yaml'))).toBe(body(found.text('base.yaml')));
  });

  it('gives a serial column that was dropped back, with numbers for the rows that are there', async () => {
    await test.exec(`INSERT INTO shop_2.checked (amount) VALUES (5), (6), (7);
      ALTER TABLE shop_2.checked DROP COLUMN id`);
    const options = { directory: found.directory, schemas: ['shop_2'] };
    expect(await drift(found.directory, 'shop_2')).toContain('add-column checked.id pending');
    const outcome = await fleet.apply(options);
    expect(outcome.tenants.map(({ outcome: of, error }) => [of, error])).toEqual([['converged', null]]);
    await test.exec('INSERT INTO shop_2.checked (amount) VALUES (8)');
    const rows = await test.query('SELECT id FROM shop_2.checked ORDER BY id');
    expect(rows.map(({ id }) => Number(id))).toEqual([1, 2, 3, 4]);
  });

  it('shows the drift of a damaged tenant', async () => {
    await test.exec(`ALTER TABLE shop_2.countries ALTER country_id DROP DEFAULT; DROP INDEX shop_2.films_lower;
      ALTER TABLE shop_2.films DROP CONSTRAINT films_features; DROP MATERIALIZED VIEW shop_2.halves;`);
    expect((await drift(found.directory, 'shop_2')).toSorted()).toEqual([
      'add-constraint films.films_features pending',
      'alter-column countries.country_id pending',
      'create-index films.films_lower pending',
      'create-materialized-view halves.halves pending',
    ]);
  });
});
