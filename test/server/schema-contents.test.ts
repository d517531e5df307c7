import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readOwners } from '../../src/catalog/owners.js';
import { countUndeclared } from '../../src/catalog/unmanaged.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const directory = mkdtempSync(join(tmpdir(), 'trueup-schema-contents-'));
writeFileSync(
  join(directory, 'fleet.yaml'),
  'version: 1\ntenants: { having_tables: [orders] }\nphases: [{ name: base, file: base.yaml }]\n',
);
writeFileSync(
  join(directory, 'base.yaml'),
  'tables: { orders: { columns: { id: bigint } }, prices: { columns: { id: bigint }, indexes: [{ name: prices_id, keys: [id] }] } }\n',
);

let test: TestDatabase;
let fleet: FleetUnderTest;
const [first, second] = ['first', 'second'].map((name) => `${name}_${process.pid}_${Date.now()}`);

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await test.exec(`CREATE ROLE ${first} NOLOGIN; CREATE ROLE ${second} NOLOGIN`);
});
afterAll(async () => {
  await fleet?.close();
  await test?.exec(`DROP OWNED BY ${first}, ${second} CASCADE; DROP ROLE ${first}; DROP ROLE ${second}`);
  await test?.drop();
  rmSync(directory, { recursive: true, force: true });
});

const OWNERS = `
  select relnamespace::regnamespace::text "schema", pg_get_userbyid(relowner) "owner" from pg_class
   where relname = 'prices' order by 1`;

it('C1: tenants that are alike but for their owner get each their own owner’s table, by one statement', async () => {
  await test.exec(
    [first, second, second, 'CURRENT_USER']
      .map(
        (owner, at) =>
          `CREATE SCHEMA t${at}; CREATE TABLE t${at}.orders (id bigint); ALTER TABLE t${at}.orders OWNER TO ${owner};`,
      )
      .join('\n'),
  );
  await fleet.anew();
  const plan = await fleet.plan({ directory });
  // Those whose tables are the session's own need one statement less.
  expect(plan.classes.map(({ tenants }) => tenants.length).sort()).toEqual([1, 3]);
  expect(fleet.statements.filter((sql) => sql.includes('nspowner'))).toHaveLength(1);
  await fleet.apply({ directory });
  expect((await test.query(OWNERS)).map((row) => Object.values(row))).toEqual([
    ['t0', first],
    ['t1', second],
    ['t2', second],
    ['t3', (await test.query<{ user: string }>('select current_user "user"'))[0]?.user],
  ]);
});

it('whose a tenant’s tables are is not asked where none is made', async () => {
  await test.exec('DROP INDEX t0.prices_id');
  await fleet.anew();
  expect((await fleet.plan({ directory })).summary).toMatchObject({ drifted: 1, inSync: 3 });
  expect(fleet.statements.filter((sql) => sql.includes('nspowner'))).toEqual([]);
});

it('C1: the owner of most tables counts, and of a schema without a table its own', async () => {
  await test.exec(`
    CREATE SCHEMA most; CREATE SCHEMA bare AUTHORIZATION ${second}; CREATE SCHEMA viewed AUTHORIZATION ${second}; CREATE SCHEMA mine;
    CREATE TABLE most.a (); CREATE TABLE most.b (); CREATE TABLE most.c (); CREATE TABLE viewed.own ();
    ALTER TABLE most.a OWNER TO ${first}; ALTER TABLE most.b OWNER TO ${first}; ALTER TABLE viewed.own OWNER TO ${first};
    CREATE MATERIALIZED VIEW viewed.v AS SELECT 1; CREATE MATERIALIZED VIEW viewed.w AS SELECT 1`);
  const session = await fleet.database.connect();
  try {
    const owners = await readOwners(session, ['most', 'bare', 'viewed', 'mine', 'no such']);
    expect([...owners].sort()).toEqual([
      ['bare', second],
      ['most', first],
      ['viewed', first],
    ]);
  } finally {
    await session.close();
  }
});

it('counts what is not declared alike, whether schema by schema or among all tables', async () => {
  const schemas = await test.query<{ oid: string }>(
    `select oid::text oid from pg_namespace where nspname in ('most', 'viewed', 't0', 'bare')`,
  );
  const oids = schemas.map(({ oid }) => oid);
  const session = await fleet.database.connect();
  try {
    for (const few of [1, 100]) {
      const count = (names: string[]) =>
        countUndeclared(
          session,
          oids,
          names.map((name) => ({ name })),
          few,
        );
      expect(await count(['orders', 'prices'])).toBe(6);
      expect(await count(['orders', 'prices', 'a', 'v'])).toBe(4);
    }
  } finally {
    await session.close();
  }
});

it('a schema that belongs to an extension is no tenant, whatever it holds', async () => {
  await test.exec(`
    CREATE SCHEMA of_extension; CREATE TABLE of_extension.orders (id bigint);
    CREATE SCHEMA of_nobody; CREATE TABLE of_nobody.orders (id bigint);
    ALTER EXTENSION pg_trgm ADD SCHEMA of_extension`);
  const { databases } = await fleet.plan({ directory });
  const schemas = databases.flatMap((one) => one.tenants.map(({ schema }) => schema));
  expect(schemas).toContain('of_nobody');
  expect(schemas).not.toContain('of_extension');
  await expect(fleet.plan({ directory, schemas: ['of_extension'] })).rejects.toMatchObject({ code: 'UNKNOWN_SCHEMA' });
});
