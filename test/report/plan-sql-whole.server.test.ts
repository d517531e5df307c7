import { afterAll, beforeAll, expect, it } from 'vitest';
import { planSql } from '../../src/report/plan-sql.js';
import { catalogOf } from '../support/catalog.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = `
version: 1
tenants: { having_tables: [shops, items] }
phases:
  - { name: base, file: base.yaml }
  - { name: search, extension: true, file: search.yaml, owns: { columns: [body], methods: [gin] } }
parameters:
  min_rows: { type: integer, minimum: 0, default: 0 }
`;
const BASE = `
tables:
  shops:
    columns: { name: { type: text, nullable: false } }
    primary_key: { name: shops_pkey, columns: [name] }
  items:
    columns:
      id: { type: bigint, nullable: false }
      shop: { type: text, nullable: false }
      code: { type: text, nullable: false }
      amount: int
      filled: { type: uuid, nullable: false, default: gen_random_uuid() }
      never: { type: text, default: "current_setting('app.nobody', true)" }
    primary_key: { name: items_pkey, columns: [id] }
    unique: [{ name: items_code_key, columns: [code] }]
    checks: [{ name: items_amount_check, expression: amount >= 0 }]
    foreign_keys:
      - { name: items_shop_fkey, columns: [shop], references: { table: shops, columns: [name] } }
    indexes:
      - { name: items_amount_idx, keys: [amount] }
`;
const SEARCH = `
tables:
  items:
    columns: { body: tsvector }
    index_families:
      - name: "items_body_\${kind.code}_\${shop.name}"
        for_each:
          shop: { table: shops, values: { name: name } }
          kind: [{ odd: "1", code: o }, { odd: "0", code: e }]
        method: gin
        keys: [body]
        where: "shop = \${shop.name} AND (id % 2)::text = \${kind.odd}"
        worth_rows: { build: "\${min_rows}", keep: half }
`;
const options = {
  directory: temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE, 'search.yaml': SEARCH }),
};
const atLeast = (rows: number) => ({ ...options, load: { parameters: { min_rows: String(rows) } } });

let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['good', 'Tenant "A"', 't1', 'racing'], options);
  for (const schema of ['good', '"Tenant ""A"""', 't1', 'racing'])
    await test.exec(`
      INSERT INTO ${schema}.shops VALUES ('a'), ('b'), ('o''k');
      INSERT INTO ${schema}.items (id, shop, code, amount, body)
      SELECT n, 'a', 'code ' || n, n, to_tsvector('simple', 'item ' || n) FROM generate_series(1, 4500) n;`);
  await fleet.apply(options);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const script = async (of: Parameters<FleetUnderTest['plan']>[0]) => [...planSql(await fleet.plan(of))].join('\n');
const members = async (schema: string) =>
  (
    await test.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relname ~ '^(items_body|trueup)' ORDER BY 1`,
      [schema],
    )
  ).map(({ name }) => name);

it('does all that apply would do: afterwards the plan is in sync', async () => {
  for (const schema of ['"Tenant ""A"""', 't1'])
    await test.exec(`
      ALTER TABLE ${schema}.items DROP COLUMN filled, DROP COLUMN never, ALTER code DROP NOT NULL;
      ALTER TABLE ${schema}.items DROP CONSTRAINT items_pkey, DROP CONSTRAINT items_code_key, DROP CONSTRAINT items_amount_check;
      ALTER TABLE ${schema}.items DROP CONSTRAINT items_shop_fkey;
      ALTER TABLE ${schema}.items ADD CONSTRAINT items_amount_check CHECK (amount > -9);
      DROP INDEX ${schema}.items_amount_idx;
      CREATE INDEX items_body_other ON ${schema}.items USING gin (body);
      DROP INDEX ${schema}.items_body_o_a;`);
  // Of living shops, and of two that are gone.
  await test.exec(`
    CREATE INDEX items_body_o_gone ON t1.items USING gin (body) WHERE shop = 'gone' AND (id % 2)::text = '1';
    CREATE INDEX items_body_e_former ON t1.items USING gin (body) WHERE shop = 'former' AND (id % 2)::text = '0';
    CREATE TABLE t1.updates (n int);`);
  const plan = await fleet.plan(options);
  expect(plan.summary).toMatchObject({ tenants: 4, inSync: 2, drifted: 2, blocked: 0 });
  const steps = itemsOf(plan, 't1').flatMap(({ change }) => change.steps.map((step) => step.mode));
  expect(new Set(steps)).toEqual(new Set(['transaction', 'online', 'backfill']));
  expect(itemsOf(plan, 't1').flatMap(({ change }) => change.assumptions.map(({ kind }) => kind))).toContain(
    'no-member',
  );

  await test.psql(await script(options));
  const after = await fleet.plan(options);
  expect(changesOf(after, 't1')).toEqual([]);
  expect(changesOf(after, 'Tenant "A"')).toEqual([]);
  await test.exec('DROP TABLE t1.updates');
  expect(await catalogOf(test, 't1')).toEqual(await catalogOf(test, 'good'));
  expect(
    await test.query('SELECT count(DISTINCT filled)::int AS filled, count(never)::int AS never FROM t1.items'),
  ).toEqual([{ filled: 4500, never: 0 }]);
});

it('drops the indexes that are not worth their rows, and no other (G12)', async () => {
  await test.psql(await script({ ...atLeast(1000), schemas: ['good'] }));
  expect(changesOf(await fleet.plan({ ...atLeast(1000), schemas: ['good'] }), 'good')).toEqual([]);
  expect(await members('good')).toEqual(['items_body_e_a', 'items_body_o_a']);
});

it('stops before a member is dropped whose row has come since, or whose rows have become enough (R21)', async () => {
  await test.exec(
    `CREATE INDEX items_body_o_gone ON racing.items USING gin (body) WHERE shop = 'gone' AND (id % 2)::text = '1'`,
  );
  const before = await members('racing');
  const orphan = await script({ ...options, schemas: ['racing'] });
  await test.exec(`INSERT INTO racing.shops VALUES ('gone')`);
  await expect(test.psql(orphan)).rejects.toThrow(
    'rows of shops have come that an index was to be dropped for want of',
  );
  expect(await members('racing')).toEqual(before);

  const few = await script({ ...atLeast(1000), schemas: ['racing'] });
  await test.exec(
    `INSERT INTO racing.items (id, shop, code) SELECT n, 'o''k', 'later ' || n FROM generate_series(5000, 7000) n`,
  );
  await expect(test.psql(few)).rejects.toThrow('rows of items have come that an index was to be dropped for want of');
  const left = await members('racing');
  expect(left).toContain("items_body_o_o'k");
  expect(left).toContain("items_body_e_o'k");
});
