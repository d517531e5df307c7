import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoverTenants, type TenantSelection } from '../../src/catalog/discover.js';
import type { TenantRule } from '../../src/desired-state/model.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const BY_NAME = { schemas: [], exclude: [], allowEmpty: false, allowAbsent: false };
const rule = (havingTables: readonly string[]): TenantRule => ({
  havingTables,
  like: null,
  schemas: null,
  query: null,
  exclude: [],
  baseSchema: null,
});

let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await test.exec(`
    CREATE SCHEMA whole; CREATE TABLE whole.shops (); CREATE TABLE whole.orders (id int) PARTITION BY LIST (id); CREATE TABLE whole.items ();
    CREATE SCHEMA more; CREATE TABLE more.shops (); CREATE TABLE more.orders (); CREATE TABLE more.items (); CREATE TABLE more.notes ();
    CREATE SCHEMA lacks_one; CREATE TABLE lacks_one.items (); CREATE TABLE lacks_one.shops ();
    CREATE SCHEMA has_one; CREATE TABLE has_one.orders ();
    CREATE SCHEMA shown; CREATE TABLE shown.shops (); CREATE TABLE shown.orders (); CREATE VIEW shown.items AS SELECT 1 one;
    CREATE SCHEMA nothing; CREATE SEQUENCE nothing.shops; CREATE VIEW nothing.orders AS SELECT 1 one`);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

async function found(tables: readonly string[]) {
  const session = await fleet.database.connect();
  try {
    const { tenants, lookAlikes } = await discoverTenants(session, rule(tables), BY_NAME);
    return {
      tenants: tenants.map(({ schema }) => schema),
      lookAlikes: lookAlikes.map(({ schema, has, lacks }) => [schema, [...has].sort(), lacks]),
    };
  } finally {
    await session.release();
  }
}

it('a schema is a tenant that holds all of the tables, and looks like one that holds some: views and sequences are none', async () => {
  expect(await found(['shops', 'orders', 'items'])).toEqual({
    tenants: ['more', 'whole'],
    lookAlikes: [
      ['has_one', ['orders'], ['shops', 'items']],
      ['lacks_one', ['items', 'shops'], ['orders']],
      ['shown', ['orders', 'shops'], ['items']],
    ],
  });
  expect(await found(['orders'])).toEqual({ tenants: ['has_one', 'more', 'shown', 'whole'], lookAlikes: [] });
});

it.each([
  ['public.tenants', 'FRAGMENT_REFUSED', 'relation "public.tenants" does not exist'],
  ['pg_catalog.pg_authid', 'PRIVILEGE', 'permission denied for table pg_authid'],
])(
  'a query of %s that fails is told as the query that lists the tenants, and as no bug of trueup',
  async (from, code, said) => {
    const session = await fleet.database.connect();
    try {
      await session.query('SET ROLE pg_monitor');
      const query = `SELECT rolname FROM ${from}`;
      await expect(discoverTenants(session, { ...rule([]), havingTables: null, query }, BY_NAME)).rejects.toMatchObject(
        {
          code,
          message: `the query that lists the tenants fails: ${said}`,
          options: { where: 'fleet.yaml: tenants.query' },
        },
      );
      await session.query('RESET ROLE');
    } finally {
      await session.release();
    }
  },
);

describe('a schema that is listed and not there', () => {
  const state = (tenants: string) =>
    temporaryDesiredState({
      'fleet.yaml': `version: 1\ntenants: ${tenants}\nphases: [{ name: base, file: base.yaml }]`,
      'base.yaml': 'tables: { shops: { columns: { id: int } } }',
    });

  it.each([
    ['by name', '{ schemas: [has_one, gone, gone] }'],
    ['by a query, a NULL of which lists none', `{ query: "SELECT * FROM (VALUES ('has_one'), ('gone'), (NULL)) v" }`],
  ])('is warned of, %s', async (_how, tenants) => {
    const [plan] = (await fleet.plan({ directory: state(tenants) })).databases;
    expect(plan?.tenants.map(({ schema }) => schema)).toEqual(['has_one']);
    expect(plan?.diagnostics).toMatchObject([{ severity: 'warning', code: 'LISTED_AND_MISSING', schema: 'gone' }]);
  });

  it('is none of a run that names its tenants', async () => {
    const options = { directory: state('{ schemas: [has_one, gone] }'), schemas: ['has_one'] };
    expect((await fleet.plan(options)).databases[0]?.diagnostics).toEqual([]);
  });
});

it('a table that is named twice counts once', async () => {
  expect(await found(['shops', 'orders', 'shops', 'items'])).toMatchObject({ tenants: ['more', 'whole'] });
});

describe('what a pattern excludes', () => {
  const discover = async (selection: Partial<TenantSelection>) => {
    const session = await fleet.database.connect();
    try {
      return await discoverTenants(session, rule(['shops', 'orders', 'items']), { ...BY_NAME, ...selection });
    } finally {
      await session.release();
    }
  };

  it('is no tenant; where nothing else is found, or named, that is an error that says so', async () => {
    const { tenants } = await discover({ schemas: ['more', 'whole'], exclude: ['m%'] });
    expect(tenants.map(({ schema }) => schema)).toEqual(['whole']);
    const remedy = expect.stringContaining('--exclude-schema');
    await expect(discover({ exclude: ['%'] })).rejects.toMatchObject({
      code: 'NO_TENANT',
      message: expect.stringMatching(/; 2 of them are excluded$/u),
      options: { remedy },
    });
    await expect(discover({ schemas: ['more'], exclude: ['m%'] })).rejects.toMatchObject({
      code: 'NO_TENANT',
      message: 'no tenant found: what --schema names is excluded: "more"',
      options: { remedy },
    });
    expect((await discover({ schemas: ['more'], exclude: ['m%'], allowEmpty: true })).tenants).toEqual([]);
  });

  it('is not made either: the run that made it would not know it as a tenant', async () => {
    await expect(discover({ schemas: ['mine'], exclude: ['m%'], allowAbsent: true })).rejects.toMatchObject({
      code: 'UNKNOWN_SCHEMA',
      message: 'schema "mine" would be no tenant: a pattern excludes it',
    });
    expect((await discover({ schemas: ['mine'], exclude: ['o%'], allowAbsent: true })).absent).toEqual(['mine']);
  });
});

it('none found is told with how many schemas it was looked for in, PostgreSQL’s own left out', async () => {
  const [row] = await test.query<{ count: string }>(
    "SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'",
  );
  await expect(found(['nowhere'])).rejects.toThrow(`the table nowhere among ${row?.count} schemas`);
});
