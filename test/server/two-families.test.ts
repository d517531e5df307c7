import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
/** A third, whose members may be called as those of the first. */
const OVERLAPPING = `
      - name: "items_gin_x_\${shop.name}"
        for_each: { shop: { table: shops, values: { name: name } } }
        method: gin
        keys: [body]
        where: "shop <> \${shop.name}"
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

describe('families whose members may share names', () => {
  const overlapping = {
    schemas: ['t2'],
    directory: temporaryDesiredState({
      'fleet.yaml': FLEET,
      'base.yaml': BASE,
      'search.yaml': `${SEARCH.trimEnd()}${OVERLAPPING}    indexes: [{ name: items_gin_static, method: gist, keys: [body] }]\n`,
    }),
  };
  const unreadable = async () =>
    (await fleet.plan(overlapping)).databases.flatMap((database) => database.unreadable.map(({ message }) => message));
  beforeAll(async () => {
    await fleet.provision(['t2'], overlapping);
    await test.exec(`INSERT INTO t2.shops VALUES ('a'); INSERT INTO t2.items VALUES ('a')`);
    await fleet.apply(overlapping);
  });

  it('G7: a name that either may give is an orphan where neither gives it, and is dropped by one of them', async () => {
    await test.exec(`CREATE INDEX items_gin_x_b ON t2.items USING gin (body) WHERE shop <> 'b'`);
    expect(changesOf(await fleet.plan(overlapping), 't2')).toEqual([
      `drop-index items.items_gin_x_\${shop.name} pending`,
    ]);
    expect((await fleet.apply(overlapping)).summary).toMatchObject({ converged: 1 });
    expect(changesOf(await fleet.plan(overlapping), 't2')).toEqual([]);
  });

  it('R21: and stays when a row comes that has the other family give it', async () => {
    await test.exec(`CREATE INDEX items_gin_x_c ON t2.items USING gin (body) WHERE shop = 'x_c'`);
    const plan = await fleet.plan(overlapping);
    await test.exec(`INSERT INTO t2.shops VALUES ('x_c')`);
    await fleet.apply(overlapping, plan);
    expect(
      await test.query(`SELECT FROM pg_indexes WHERE schemaname = 't2' AND indexname = 'items_gin_x_c'`),
    ).toHaveLength(1);
    expect(changesOf(await fleet.plan(overlapping), 't2')).toEqual([]);
  });

  it('an index that one family builds anew under its name is not renamed for the other, whose definition it has', async () => {
    await test.exec(`DROP INDEX t2.items_gin_x_c, t2.items_gin_x_x_c;
      CREATE INDEX items_gin_x_c ON t2.items USING gin (body) WHERE shop <> 'x_c'`);
    expect(changesOf(await fleet.plan(overlapping), 't2')).toEqual([
      `rebuild-index items.items_gin_\${shop.name} pending`,
      `create-index items.items_gin_x_\${shop.name} pending`,
    ]);
    expect((await fleet.apply(overlapping)).summary).toMatchObject({ converged: 1 });
    expect(changesOf(await fleet.plan(overlapping), 't2')).toEqual([]);
  });

  it.each([
    [
      'x_a',
      'index family items_gin_x_${shop.name} gives the name items_gin_x_a, which index family items_gin_${shop.name} gives too',
    ],
    [
      'static',
      'index family items_gin_${shop.name} gives the name items_gin_static, which the desired state declares too',
    ],
  ])(
    'G7: a row %s that has a name given twice makes the tenant unreadable: it would be built anew by each apply',
    async (name, message) => {
      await test.exec(`INSERT INTO t2.shops VALUES ('${name}')`);
      expect(await unreadable()).toEqual([message]);
      await test.exec(`DELETE FROM t2.shops WHERE name = '${name}'`);
      expect(await unreadable()).toEqual([]);
    },
  );
});

describe('a family whose names are a row’s alone', () => {
  const named = {
    schemas: ['t3'],
    directory: temporaryDesiredState({
      'fleet.yaml': FLEET,
      'base.yaml': BASE,
      'search.yaml': SEARCH.replace('"items_gin_$', '"$').replace(/ +- name: "items_gist[\s\S]*/u, ''),
    }),
  };
  beforeAll(() => fleet.provision(['t3'], named));
  beforeEach(() =>
    test.exec(`DELETE FROM t3.shops; DELETE FROM t3.items; INSERT INTO t3.shops VALUES ('a'); INSERT INTO t3.items VALUES ('a');
      DROP INDEX IF EXISTS t3.a; CREATE INDEX a ON t3.items USING gin (body) WHERE shop = 'b'`),
  );
  const successor = async () => {
    const [item] = itemsOf(await fleet.plan(named), 't3');
    return item?.members?.[0]?.temporary_new ?? '';
  };

  it('does not take the leftover of an interrupted build for one of its own', async () => {
    const leftover = await successor();
    await test.exec(`CREATE INDEX ${leftover} ON t3.items (shop) WHERE shop = 'never'`);
    expect(changesOf(await fleet.plan(named), 't3')).toEqual([
      `drop-index items.${leftover} pending`,
      `rebuild-index items.\${shop.name} pending`,
    ]);
    expect((await fleet.apply(named)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
    expect(changesOf(await fleet.plan(named), 't3')).toEqual([]);
  });

  it('knows its own by a value of several lines as well', async () => {
    await test.exec(`DROP INDEX t3.a; CREATE INDEX "two\nlines" ON t3.items USING gin (body) WHERE shop = 'two'`);
    expect(changesOf(await fleet.plan(named), 't3')).toEqual([
      `create-index items.\${shop.name} pending`,
      `drop-index items.\${shop.name} pending`,
    ]);
  });
});
