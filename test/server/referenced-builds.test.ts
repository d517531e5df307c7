import { afterEach, beforeEach, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const directory = temporaryDesiredState({
  'fleet.yaml': 'version: 1\ntenants: { having_tables: [shops] }\nphases: [{ name: base, file: base.yaml }]',
  'base.yaml': `
tables:
  shops:
    columns: { id: { type: bigint, nullable: false }, name: text }
    primary_key: { name: shops_pkey, columns: [id] }
    indexes: [{ name: shops_name, keys: [name] }]
  sales:
    columns: { shop: bigint, note: text }
    foreign_keys: [{ name: sales_shop_fkey, columns: [shop], references: { table: shops, columns: [id] } }]
`,
});

const on = fleetOnServer();
type Client = Awaited<ReturnType<typeof on.database.connect>>;
let writer: Client;
let builder: Client;
let building: Promise<unknown>;

/** A build on the table that is referenced, which a writer holds up. */
async function begin(schema: string, lacks: string): Promise<number> {
  await on.fleet.provision([schema], { directory });
  await on.database.exec(`
    INSERT INTO ${schema}.shops VALUES (1, 'a'); INSERT INTO ${schema}.sales VALUES (1); DROP INDEX ${schema}.shops_name;
    ${lacks.replaceAll('S.', `${schema}.`)}`);
  const [{ pid } = { pid: 0 }] = (await builder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
  await writer.query(`BEGIN; UPDATE ${schema}.shops SET name = name`);
  building = builder.query(`CREATE INDEX CONCURRENTLY shops_name ON ${schema}.shops (name)`);
  building.catch(() => {});
  const seen = () => on.database.query(`SELECT to_regclass('${schema}.shops_name') IS NOT NULL AS there`);
  await expect.poll(seen, { timeout: 10_000 }).toEqual([{ there: true }]);
  return pid;
}

beforeEach(async () => {
  [writer, builder] = [await on.database.connect(), await on.database.connect()];
});
afterEach(async () => {
  await writer.query('ROLLBACK').catch(() => {});
  await building.catch(() => {});
  await Promise.all([writer.end(), builder.end()]);
});

it.each([
  ['is added', 'ALTER TABLE S.sales DROP CONSTRAINT sales_shop_fkey'],
  [
    'is replaced',
    'ALTER TABLE S.sales DROP CONSTRAINT sales_shop_fkey; ALTER TABLE S.sales ADD CONSTRAINT sales_shop_fkey FOREIGN KEY (shop) REFERENCES S.shops ON DELETE CASCADE',
  ],
  ['comes with its table', 'DROP TABLE S.sales'],
])('a foreign key that %s waits for a running build on the table that it references', async (what, lacks) => {
  const schema = what.replace(/\W/gu, '_');
  const pid = await begin(schema, lacks);
  const options = { directory, schemas: [schema] };
  const found = itemsOf(await on.fleet.plan(options), schema).map(({ change }) => change);
  const sales = found.find(({ object }) => object === 'sales_shop_fkey');
  expect(sales).toMatchObject({ status: 'deferred', waitsFor: 'build' });
  expect(sales?.obstacle).toBe(`an index of table shops is INVALID, and session ${pid} is building it`);
  const limits = { ...DEFAULT_LIMITS, lockTimeout: 200, attempts: 1, lockWait: 500 };
  const { tenants } = await on.fleet.apply({ ...options, run: { limits } });
  expect(tenants).toMatchObject([{ outcome: 'not-attempted', error: { code: 'BUILD_HELD_UP' } }]);
  await writer.query('COMMIT');
  await building;
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});

it('who holds the table that a foreign key is onto is named where its lock was not had', async () => {
  await on.fleet.provision(['held'], { directory });
  await on.database.exec(
    'INSERT INTO held.sales DEFAULT VALUES; ALTER TABLE held.sales DROP CONSTRAINT sales_shop_fkey',
  );
  await writer.query('BEGIN; LOCK TABLE held.shops IN SHARE UPDATE EXCLUSIVE MODE');
  const limits = { ...DEFAULT_LIMITS, lockTimeout: 200, attempts: 1, lockWait: 500 };
  const { tenants } = await on.fleet.apply({ directory, schemas: ['held'], run: { limits } });
  expect(tenants.map(({ outcome, error }) => [outcome, error?.message])).toEqual([
    ['failed', expect.stringMatching(/lock timeout; lock on shops held by process \d+ \([^;]*\)$/u)],
  ]);
});
