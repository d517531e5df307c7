import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeDesiredState } from '../support/desired-state-fixture.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { startServer, type TestServer } from '../support/postgres/server.js';

/**
 * R14 asks for 6,000 indexes under the default lock settings. This server has room for a tenth of the locks, and its table as
 * many indexes as it takes for a statement over it to fail: an index costs a drop of its own, and they are many.
 */
const SETTINGS = { max_connections: '20', max_locks_per_transaction: '10' };
const STEP = 200;

const FILES = {
  'fleet.yaml': `
version: 1
tenants: { having_tables: [shops, items] }
phases:
  - { name: base, file: base.yaml, owns: { columns: [n], methods: [btree] } }
`,
  'base.yaml': `
tables:
  shops:
    columns: { id: int }
  items:
    columns: { shop: int, n: int }
    indexes:
      - { name: items_shop, keys: [shop] }
    index_families:
      - name: "items_\${shop.id}"
        for_each: { shop: { table: shops, values: { id: "id::text" } } }
        keys: [n]
        where: "shop::text = \${shop.id}"
`,
};

let server: TestServer;
let client: pg.Client;
let fleet: FleetUnderTest;
/** How many indexes the table has. */
let made = 0;

beforeAll(async () => {
  server = await startServer({ settings: SETTINGS });
  client = new pg.Client({ connectionString: server.url('postgres') });
  await client.connect();
  await client.query(
    `CREATE SCHEMA t; CREATE TABLE t.shops (id int); CREATE TABLE t.items (shop int, n int);
     INSERT INTO t.shops VALUES (1); INSERT INTO t.items SELECT n, n FROM generate_series(1, 10) n`,
  );
  for (; await isReadable(); made += STEP)
    // Committed one by one: what a transaction makes it locks until it ends.
    await client.query(`DO $$ BEGIN FOR n IN ${made + 1}..${made + STEP} LOOP
      EXECUTE format('CREATE INDEX items_%s ON t.items (n) WHERE shop::text = %L', n, n); COMMIT; END LOOP; END $$`);
  fleet = await openFleet(server.url('postgres'));
}, 120_000);
afterAll(async () => {
  await fleet?.close();
  await client?.end();
  await server?.remove();
});

/** Whether a statement over the table gets the locks that it takes: of the table and of each of its indexes. */
const isReadable = () =>
  client.query('SELECT FROM t.items').then(
    () => true,
    (error: { readonly code?: string }) => {
      expect(error.code).toBe('53200');
      return false;
    },
  );

it('R14: a table with more indexes than there are locks is planned from the catalogs, and apply sheds them', async () => {
  const options = { directory: writeDesiredState(FILES), schemas: ['t'] };
  const plan = await fleet.plan(options);
  expect(plan.summary).toMatchObject({ drifted: 1, unreadable: 0 });
  expect([...changesOf(plan, 't')].sort()).toEqual([
    expect.stringMatching(/^create-index items\.items_shop pending/u),
    expect.stringMatching(/^drop-index items\.items_.* pending/u),
  ]);
  const [create, drop] = [...itemsOf(plan, 't')].sort((a, b) => a.change.action.localeCompare(b.change.action));
  // What cannot be told counts as populated.
  expect(create?.change).toMatchObject({ assumptions: [], hazards: ['INDEX_BUILD'] });
  expect(drop?.members).toHaveLength(made - 1);

  const { summary } = await fleet.apply(options);
  expect(summary).toMatchObject({ converged: 1, failed: 0 });
  expect(await isReadable()).toBe(true);
  expect((await fleet.plan(options)).summary).toMatchObject({ inSync: 1 });
}, 300_000);
