import { beforeAll, describe, expect, it } from 'vitest';
import { planFleet } from '../../src/plan/plan-fleet.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { changesOf, type FleetOptions, itemsOf, loadShipped } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();
const exec = (sql: string) => on.database.exec(sql);

const ONTO_SHARED = 'references: { schema: shared, table: countries, columns: [code] }';

/** Shops, each of a country. */
const state = (references: string | null = ONTO_SHARED, type = 'text') =>
  temporaryDesiredState({
    'fleet.yaml':
      'version: 1\ntenants: { base_schema: { default: public }, having_tables: [shops] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  countries:
    columns: { code: { type: text, nullable: false } }
    primary_key: { name: countries_pkey, columns: [code] }
  shops:
    columns: { id: { type: int, nullable: false }, country: ${type} }
    primary_key: { name: shops_pkey, columns: [id] }
${references === null ? '' : `    foreign_keys: [{ name: shops_country, columns: [country], ${references} }]`}
`,
  });

const BARE = state(null);
const FILES = state();

beforeAll(() =>
  exec(`CREATE SCHEMA shared; CREATE TABLE shared.countries (code text PRIMARY KEY, name text);
    INSERT INTO shared.countries VALUES ('de', 'Germany'), ('fr', 'France')`),
);

/** Makes tenants without the key, then does something to each. */
async function tenants(schemas: readonly string[], sql = '') {
  await on.fleet.provision(schemas, { directory: BARE });
  for (const schema of schemas) await exec(sql.replaceAll('S.', `${schema}.`));
  return { directory: FILES, schemas };
}

const KEY = `
  select n.nspname || '.' || c.relname "onto", k.convalidated valid from pg_constraint k join pg_class c on c.oid = k.confrelid
    join pg_namespace n on n.oid = c.relnamespace where k.conname = 'shops_country' and k.conrelid = '%'::regclass`;

/** What the tenant's key is onto. */
const keyOf = (schema: string) => on.database.query(KEY.replace('%', `${schema}.shops`));

async function converged(options: FleetOptions & { schemas: readonly string[] }) {
  const outcome = await on.fleet.apply(options);
  expect(outcome.tenants).toMatchObject(options.schemas.map(() => ({ outcome: 'converged', error: null })));
  const plan = await on.fleet.plan(options);
  for (const schema of options.schemas) {
    expect(changesOf(plan, schema)).toEqual([]);
    expect(await keyOf(schema)).toEqual([{ onto: 'shared.countries', valid: true }]);
  }
}

const replace = (onto: string) =>
  `ALTER TABLE S.shops ADD CONSTRAINT shops_country FOREIGN KEY (country) REFERENCES ${onto}`;

describe('a foreign key onto a table that all tenants share', () => {
  it('is made with a new tenant', async () => {
    await converged({ directory: FILES, schemas: ['fresh_a', 'fresh_b'], ...{ createSchema: true } });
  });

  it.each([
    ['', ''],
    [' that has rows', "INSERT INTO S.shops VALUES (1, 'de'), (2, NULL)"],
  ])('is made where a tenant%s lacks it, which says that it locks that table', async (what, sql) => {
    const options = await tenants([`lacks_${what.length}`], sql);
    const plan = await on.fleet.plan(options);
    const [schema = ''] = options.schemas;
    expect(changesOf(plan, schema)).toEqual(['add-constraint shops.shops_country pending']);
    expect(itemsOf(plan, schema)[0]?.change.hazards).toContain('SHARED_TABLE_LOCKED');
    await converged(options);
  });

  it.each([
    ['the tenant’s own table', 'own', replace('S.countries')],
    [
      'another tenant’s table',
      'other',
      `CREATE SCHEMA elsewhere_S; CREATE TABLE elsewhere_S.countries (code text PRIMARY KEY); ${replace('elsewhere_S.countries')}`,
    ],
    [
      'a table of another schema that has rows',
      'rows',
      `CREATE SCHEMA elsewhere_S; CREATE TABLE elsewhere_S.countries (code text PRIMARY KEY);
      INSERT INTO elsewhere_S.countries VALUES ('de'); INSERT INTO S.shops VALUES (1, 'de'); ${replace('elsewhere_S.countries')}`,
    ],
    ['it with another action', 'action', `${replace('shared.countries')} ON DELETE CASCADE`],
  ])('takes the place of one onto %s', async (_, name, sql) => {
    const schema = `wrong_${name}`;
    const options = await tenants([schema], sql.replaceAll('elsewhere_S', `elsewhere_${name}`));
    const plan = await on.fleet.plan(options);
    expect(changesOf(plan, schema)).toEqual(['replace-constraint shops.shops_country pending']);
    await converged(options);
  });

  it('gives way to one onto the tenant’s own table, which says that its readers are locked out', async () => {
    const { schemas } = await tenants(['back'], replace('shared.countries'));
    const options = { schemas, directory: state('references: { table: countries, columns: [code] }') };
    const [item] = itemsOf(await on.fleet.plan(options), 'back');
    expect(item?.change).toMatchObject({ action: 'replace-constraint', hazards: ['SHARED_TABLE_LOCKED'] });
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged' }]);
    expect(await keyOf('back')).toEqual([{ onto: 'back.countries', valid: true }]);
  });

  it('is another one when the shared table is renamed between plan and apply, which knows from the plan what its twin looks like', async () => {
    await exec('CREATE TABLE shared.moving (code text PRIMARY KEY)');
    const options = { directory: state(ONTO_SHARED.replace('countries', 'moving')), schemas: ['mover', 'twin'] };
    await on.fleet.provision(options.schemas, options);
    await exec('ALTER TABLE mover.shops ALTER id SET DEFAULT 1');
    const plan = await on.fleet.plan(options);
    expect(changesOf(plan, 'mover')).toEqual(['alter-column shops.id pending']);
    await exec('ALTER TABLE shared.moving RENAME TO moved; CREATE TABLE shared.moving (code text PRIMARY KEY)');
    expect((await on.fleet.apply(options, plan)).summary).toMatchObject({ converged: 1, inSync: 1 });
    expect(await keyOf('mover')).toEqual([{ onto: 'shared.moving', valid: true }]);
  });

  it('counts the rows that name nothing in it', async () => {
    const options = await tenants(['orphans'], "INSERT INTO S.shops VALUES (1, 'xx'), (2, 'yy')");
    const [tenant] = (await on.fleet.apply(options)).tenants;
    expect(tenant?.error?.message).toMatch(/; 2 rows of \("country"\) name nothing in "shared\.countries"$/u);
    expect(await keyOf('orphans')).toEqual([]);
  });
});

describe('before anything is sent, plan tells', () => {
  const onto = (table: string, columns = 'code') =>
    state(`references: { schema: shared, table: ${table}, columns: [${columns}] }`);
  beforeAll(() =>
    exec(`CREATE TABLE shared.keyless (code text); CREATE TABLE shared.partial (code text); CREATE UNIQUE INDEX ON shared.partial (code) WHERE code > '';
      CREATE TABLE shared.late (code text UNIQUE DEFERRABLE); CREATE VIEW shared.seen AS SELECT 'a'::text code;
      CREATE UNLOGGED TABLE shared.volatile (code text PRIMARY KEY); CREATE TABLE shared.numbered (code int PRIMARY KEY);
      CREATE TABLE shared.pairs (code text, name text, UNIQUE (code, name))`),
  );
  it.each([
    [
      'a schema that is not there',
      () => state('references: { schema: nosuch, table: countries, columns: [code] }'),
      'there is no table nosuch.countries',
    ],
    ['a table that is not there', () => onto('nosuch'), 'there is no table shared.nosuch'],
    ['a column that is not there', () => onto('countries', 'nosuch'), 'shared.countries has no column "nosuch"'],
    ['a view', () => onto('seen'), 'shared.seen is no table that a foreign key can be onto'],
    ...['keyless', 'partial', 'late', 'pairs'].map(
      (table) =>
        [
          `no key (${table})`,
          () => onto(table),
          `shared.${table} has no valid unique key over just (code) that is neither partial nor deferrable`,
        ] as const,
    ),
    [
      'an unlogged table',
      () => onto('volatile'),
      'shared.volatile is UNLOGGED, and a logged table may reference logged ones only',
    ],
    [
      'types that PostgreSQL does not compare',
      () => onto('numbered'),
      'column "country" is declared text, "code" of shared.numbered is integer, and PostgreSQL does not compare those',
    ],
  ] as const)('of %s, once for all tenants', async (what, directory, obstacle) => {
    const schemas = ['x', 'y', 'z'].map((one) => `${one}_${what.replaceAll(/\W/gu, '_')}`);
    await tenants(schemas);
    const options = { directory: directory(), schemas };
    on.fleet.forget();
    const plan = await on.fleet.plan(options);
    expect(plan.classes).toHaveLength(1);
    for (const schema of schemas)
      expect(itemsOf(plan, schema).map(({ change }) => [change.status, change.obstacle])).toEqual([
        ['blocked', obstacle],
      ]);
    expect(itemsOf(plan, schemas[0] ?? '')[0]?.change.remedy).not.toBe('');
    on.fleet.forget();
    expect((await on.fleet.apply(options)).tenants).toMatchObject(schemas.map(() => ({ outcome: 'blocked' })));
    expect(on.fleet.statements.filter((sql) => /^\s*ALTER/u.test(sql))).toEqual([]);
  });

  it('and once the table is there nothing more, in the process that refused a new tenant before', async () => {
    const desired = await loadShipped({ directory: onto('coming') });
    const obstacle = async (schema: string) => {
      const selection = { schemas: [schema], exclude: [], allowEmpty: false, allowAbsent: true };
      const request = { desired, selection, allow: new Set<never>(), progress: NO_PROGRESS };
      return itemsOf(await planFleet(on.fleet.database, request), schema).flatMap(
        ({ change }) => change.obstacle ?? [],
      );
    };
    expect(await obstacle('early')).toEqual(['there is no table shared.coming']);
    await exec('CREATE TABLE shared.coming (code text PRIMARY KEY)');
    expect(await obstacle('later')).toEqual([]);
  });

  it('in as many statements for one tenant as for twenty', async () => {
    const many = Array.from({ length: 20 }, (_, at) => `many_${at}`);
    await tenants(many);
    const count = async (schemas: readonly string[]) => {
      await on.fleet.anew();
      await on.fleet.plan({ directory: FILES, schemas });
      return on.fleet.statements.length;
    };
    expect(await count(many)).toBe(await count(many.slice(0, 1)));
    await converged({ directory: FILES, schemas: many });
    await on.fleet.anew();
    await on.fleet.plan({ directory: FILES, schemas: many });
    // In sync, nothing is asked of the shared table.
    expect(on.fleet.statements.filter((sql) => sql.includes('indnkeyatts = pg_catalog.cardinality'))).toEqual([]);
  });
});
