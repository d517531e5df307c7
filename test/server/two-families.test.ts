import { afterAll, beforeAll, expect, it } from 'vitest';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = `
version: 1
tenants: { base_schema: { env: TWO_SCHEMA, default: public }, having_tables: [shops, items] }
phases:
  - { name: base, file: base.yaml }
  - name: search
    extension: true
    file: search.yaml
    owns: { columns: [body], methods: [gin, gist] }
`;
const BASE = `
tables:
  shops:
    columns: { name: { type: text, nullable: false } }
    primary_key: { name: shops_pkey, columns: [name] }
  items:
    columns: { shop: { type: text, nullable: false }, body: tsvector }
`;
/** Two families of one table, whose members differ in name and method. */
const SEARCH = `
tables:
  items:
    index_families:
      - name: "items_gin_\${shop.name}"
        for_each: { shop: { table: shops, values: { name: name } } }
        method: gin
        keys: [body]
        where: "shop = \${shop.name}"
      - name: "items_gist_\${shop.name}"
        for_each: { shop: { table: shops, values: { name: name } } }
        method: gist
        keys: [body]
        where: "shop = \${shop.name}"
`;

let test: TestDatabase;
let fleet: FleetUnderTest;
const options = {
  directory: temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE, 'search.yaml': SEARCH }),
};
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['t1'], options);
  await test.exec(`INSERT INTO t1.shops VALUES ('a'), ('b')`);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const drops = async () =>
  itemsOf(await fleet.plan(options), 't1').flatMap(({ change, members }) =>
    change.action === 'drop-index' ? (members?.map((member) => member.index) ?? [change.object]) : [],
  );

it('G5: two families of one table are built, and neither takes the other’s members for leftovers', async () => {
  expect((await fleet.apply(options)).tenants.map(({ outcome, error }) => [outcome, error])).toEqual([
    ['converged', null],
  ]);
  expect(changesOf(await fleet.plan(options), 't1')).toEqual([]);
});

it('G7: of two families each drops its own orphans, and what is nobody’s goes once', async () => {
  await test.exec(`DELETE FROM t1.shops WHERE name = 'b'; CREATE INDEX odd ON t1.items USING gin (body)`);
  expect((await drops()).sort()).toEqual(['items_gin_b', 'items_gist_b', 'odd']);
  await fleet.apply(options);
  expect(changesOf(await fleet.plan(options), 't1')).toEqual([]);
});

it('G14: a definition of one family under a strange name is renamed, and not dropped by the other', async () => {
  await test.exec('ALTER INDEX t1.items_gist_a RENAME TO strange');
  expect(changesOf(await fleet.plan(options), 't1')).toEqual([`rename-index items.items_gist_\${shop.name} pending`]);
  await test.exec('ALTER INDEX t1.strange RENAME TO items_gist_a; ALTER INDEX t1.items_gin_a RENAME TO strange');
  expect(changesOf(await fleet.plan(options), 't1')).toEqual([`rename-index items.items_gin_\${shop.name} pending`]);
  await fleet.apply(options);
  expect(changesOf(await fleet.plan(options), 't1')).toEqual([]);
});
