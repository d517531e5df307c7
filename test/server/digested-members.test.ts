import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFleet } from '../../src/catalog/fleet-pass.js';
import { ownershipFilter } from '../../src/catalog/ownership-filter.js';
import { planFleet } from '../../src/plan/plan-fleet.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { quoteLiteral } from '../../src/sql/quote.js';
import { type FleetUnderTest, itemsOf, loadShipped, openFleet } from '../support/fleet.js';
import { watchedDatabase } from '../support/received.js';
import { itemsIndex, itemsMember, keptIndex, shopState, shopTenant } from '../support/shop-fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const directory = shopState();
const shopsOf = (schema: string, count: number) => Array.from({ length: count }, (_, at) => `${schema} shop ${at}`);

/** What a read in detail asks the catalogs for: no family is read as digests. */
const isDetailed = (parameters: readonly unknown[]) =>
  typeof parameters[2] === 'string' && parameters[2].includes('"digested":null');

async function planned(fleet: FleetUnderTest) {
  const counted = watchedDatabase(fleet.database);
  const plan = await planFleet(counted.database, {
    desired: await loadShipped({ directory }),
    selection: { schemas: [], exclude: [], allowEmpty: false, allowAbsent: false },
    allow: new Set(),
    progress: NO_PROGRESS,
  });
  return { plan, received: counted.received(), parameters: counted.parameters };
}

describe('members in order', () => {
  it('cost a tenant with 30 rows no more on the wire, and no more statements, than one with 3', async () => {
    const measured = [];
    for (const count of [3, 30]) {
      const test = await createTestDatabase();
      const fleet = await openFleet(test.url);
      const costs = [];
      try {
        for (const [from, to] of [
          [10, 20],
          [20, 40],
        ] as const) {
          for (let at = from; at < to; at += 1) await test.exec(shopTenant(`t${at}`, shopsOf(`t${at}`, count)));
          const { plan, received, parameters } = await planned(fleet);
          expect(plan.summary).toMatchObject({ tenants: to - 10, inSync: to - 10, shapes: 1 });
          costs.push({ received, statements: parameters.length });
        }
      } finally {
        await fleet.close();
        await test.drop();
      }
      const [ten, thirty] = costs;
      measured.push({
        perTenant: ((thirty?.received ?? 0) - (ten?.received ?? 0)) / 20,
        fixed: ten?.received ?? 0,
        statements: ten?.statements,
      });
    }
    const [few, many] = measured;
    // Sizes and counts have a digit or two more; nothing else may.
    expect(many?.perTenant).toBeLessThan((few?.perTenant ?? 0) + 16);
    expect(many?.perTenant).toBeLessThan(600);
    // The rows of the tenants that the examples of each kind stand in.
    expect(many?.fixed).toBeLessThan((few?.fixed ?? 0) + 30 * 4 * 100);
    expect(many?.statements).toBe(few?.statements);
  });
});

it('members, shapes and what stands apart are the same in however many statements a fleet is read', async () => {
  const test = await createTestDatabase();
  const fleet = await openFleet(test.url);
  const session = await fleet.database.connect();
  try {
    const tenants = Array.from({ length: 9 }, (_, at) => `t${at}`);
    for (const schema of tenants) await test.exec(shopTenant(schema, shopsOf(schema, 2)));
    await test.exec(
      `${keptIndex('t1')} ${keptIndex('t7')} DROP INDEX t4."${itemsMember('t4 shop 0')}"; ALTER TABLE t8.orders ADD extra int`,
    );
    const desired = await loadShipped({ directory });
    const relations = desired.tables.map((table) => table.name);
    const filter = ownershipFilter(desired.phases, desired.tables);
    const oids = await test.query<{ oid: string }>(`select oid::text oid from pg_namespace where nspname ~ '^t[0-9]$'`);
    const read = async (partOf?: number) => {
      const request = { shapes: true, apart: true, seed: '42', ...(partOf === undefined ? {} : { partOf }) };
      const pass = await readFleet(
        [session],
        oids.map((row) => row.oid),
        relations,
        filter,
        request,
      );
      return {
        shapes: pass.hashed.map(({ hash, schemas }) => [hash, schemas]),
        members: pass.apart.members
          .flatMap(({ schemas, digests, ...of }) => schemas.map((schema, at) => [schema, of, digests[at]]))
          .sort(byText),
        kinds: pass.apart.kinds.map(({ examples: _, ...kind }) => kind).sort(byText),
        apart: pass.apart.groups
          .flatMap(({ schemas, name, definition }) => schemas.map((schema) => [schema, name, definition]))
          .sort(),
      };
    };
    const whole = await read();
    expect(whole.shapes.map(([, schemas]) => schemas?.length)).toEqual([8, 1]);
    expect(whole.members).toHaveLength(18);
    expect(whole.apart.map(([schema]) => schema)).toEqual(['t1', 't1', 't7', 't7']);
    for (const partOf of [3, 4]) expect(await read(partOf)).toEqual(whole);
  } finally {
    await session.close();
    await fleet.close();
    await test.drop();
  }
});

const byText = (left: unknown, right: unknown) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1);

/** Ways in which a tenant with the shops of {@link SHOPS} may be wrong, and whether that is drift. */
const SHOPS = ['a', 'b', `o'brien \\ "100%" %1$s $1`] as const;
const A = itemsMember('a');
const B = itemsMember('b');
const rebuilt = (schema: string, options: Parameters<typeof itemsIndex>[3], shop = 'a') =>
  `DROP INDEX ${schema}."${itemsMember(shop)}"; ${itemsIndex(schema, itemsMember(shop), shop, options)}`;
const CASES: Readonly<Record<string, (schema: string) => string>> = {
  missing: (s) => `DROP INDEX ${s}."${A}"`,
  all_missing: (s) =>
    `DROP TABLE ${s}.items; CREATE TABLE ${s}.items (shop text, shop_no integer, kind text, body jsonb)`,
  of_a_row_that_is_gone: (s) => `DELETE FROM ${s}.shops WHERE id = 'b'`,
  of_a_row_that_is_new: (s) => `INSERT INTO ${s}.shops VALUES ('c', 9)`,
  of_a_row_that_was_renamed: (s) => `UPDATE ${s}.shops SET id = 'z' WHERE id = 'b'`,
  number_changed: (s) => `UPDATE ${s}.shops SET no = 77 WHERE id = 'b'`,
  renamed: (s) => `ALTER INDEX ${s}."${A}" RENAME TO elsewhere`,
  renamed_as_a_member: (s) => `ALTER INDEX ${s}."${A}" RENAME TO items_o_0000`,
  swapped: (s) =>
    `ALTER INDEX ${s}."${A}" RENAME TO x; ALTER INDEX ${s}."${B}" RENAME TO "${A}"; ALTER INDEX ${s}.x RENAME TO "${B}"`,
  duplicate: (s) => itemsIndex(s, 'twin', 'a'),
  duplicate_as_a_member: (s) => itemsIndex(s, 'items_o_twin', 'a'),
  left_by_an_interrupted_run: (s) => itemsIndex(s, 'trueup_0123456789abcdef', 'a'),
  predicate_of_another: (s) => rebuilt(s, { where: `kind = 'old' AND shop = 'b'` }),
  predicate_of_nothing: (s) => rebuilt(s, { where: `kind = 'old' AND shop <> 'a'` }),
  predicate_in_other_order: (s) => rebuilt(s, { where: `shop = 'a' AND kind = 'old'` }),
  predicate_with_values_exchanged: (s) => rebuilt(s, { where: `shop = 'old' AND kind = 'a'` }),
  operator_class: (s) => rebuilt(s, { using: 'gin (body)' }),
  method: (s) => rebuilt(s, { using: 'hash (body)' }),
  column: (s) => rebuilt(s, { using: 'btree (shop)' }),
  option: (s) => rebuilt(s, { using: 'gin (body jsonb_path_ops)' }).replace(' WHERE', ' WITH (fastupdate=off) WHERE'),
  invalid: (s) => `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${s}."${A}"'::regclass`,
  not_ready: (s) =>
    `UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = '${s}."${A}"'::regclass`,
  without_a_predicate: (s) => `DROP INDEX ${s}.orders_1; CREATE INDEX orders_1 ON ${s}.orders USING gin (body)`,
  number_of_another: (s) =>
    `DROP INDEX ${s}.orders_1; CREATE INDEX orders_1 ON ${s}.orders USING gin (body) WHERE shop_no = 2 AND body IS NOT NULL AND shop_no > 0`,
  constant_changed: (s) =>
    `DROP INDEX ${s}.orders_1; CREATE INDEX orders_1 ON ${s}.orders USING gin (body) WHERE shop_no = 1 AND body IS NOT NULL AND shop_no > 1`,
  two_rows_of_one_name: (s) =>
    `ALTER TABLE ${s}.shops DROP CONSTRAINT shops_pkey; INSERT INTO ${s}.shops VALUES ('a', 50)`,
  // Their hashes, put together, are one's.
  three_rows_of_one_name: (s) =>
    `ALTER TABLE ${s}.shops DROP CONSTRAINT shops_pkey; INSERT INTO ${s}.shops VALUES ('a', 1), ('a', 1)`,
  // Their predicates name the same columns by number as everywhere else.
  column_names_exchanged: (s) =>
    `ALTER TABLE ${s}.items RENAME shop TO x; ALTER TABLE ${s}.items RENAME kind TO shop; ALTER TABLE ${s}.items RENAME x TO kind`,
  one_column_more: (s) => `ALTER TABLE ${s}.items DROP COLUMN shop_no`,
};
/** Not drift: the same meaning. */
const IN_ORDER = ['predicate_in_other_order'];

describe('members that are compared by digest', () => {
  let test: TestDatabase;
  let fleet: FleetUnderTest;
  beforeAll(async () => {
    test = await createTestDatabase();
    fleet = await openFleet(test.url);
    for (const [name, damage] of Object.entries(CASES))
      for (const way of ['digest', 'detail'])
        await test.exec(
          [
            shopTenant(`${way}_${name}`, SHOPS),
            way === 'detail' ? keptIndex(`${way}_${name}`) : '',
            `${damage(`${way}_${name}`)};`,
          ].join('\n'),
        );
    for (const schema of ['same_1', 'same_2']) await test.exec(shopTenant(schema, SHOPS));
  });
  afterAll(async () => {
    await fleet?.close();
    await test?.drop();
  });

  it('need what a look at each of them says, whatever is wrong with them', async () => {
    const { plan } = await planned(fleet);
    const unreadable = new Map(
      plan.databases.flatMap((database) => database.unreadable).map((one) => [one.schema, one.message]),
    );
    const found = (schema: string) => unreadable.get(schema) ?? itemsOf(plan, schema);
    for (const name of Object.keys(CASES)) {
      const [digest, detail] = [found(`digest_${name}`), found(`detail_${name}`)];
      expect({ name, found: digest }).toEqual({ name, found: detail });
      if (IN_ORDER.includes(name)) expect({ name, found: digest }).toEqual({ name, found: [] });
      else expect({ name, length: digest.length }).not.toEqual({ name, length: 0 });
    }
    expect([found('same_1'), found('same_2')]).toEqual([[], []]);
  });

  it('are looked at one by one in no tenant that is in order, where the first of the fleet is wrong and others are written in another order', async () => {
    const other = await createTestDatabase();
    const shops = await openFleet(other.url);
    const schemas = Array.from({ length: 6 }, (_, at) => `t${at}`);
    const inOtherOrder = (schema: string) =>
      SHOPS.flatMap((shop) =>
        (['old', 'new'] as const).map((kind) => {
          const where = `shop = ${quoteLiteral(shop)} AND kind = '${kind}'`;
          return `DROP INDEX ${schema}."${itemsMember(shop, kind)}"; ${itemsIndex(schema, itemsMember(shop, kind), shop, { where })};`;
        }),
      ).join('\n');
    try {
      const right = itemsIndex('t0', A, 'a');
      const wrong = itemsIndex('t0', A, 'a', { where: `kind = 'old' AND shop = 'of no row'` });
      for (const schema of schemas) await other.exec(shopTenant(schema, SHOPS).replace(right, wrong));
      for (const schema of ['t3', 't5']) await other.exec(inOtherOrder(schema));
      const { plan, parameters } = await planned(shops);
      expect(plan.summary).toMatchObject({ tenants: 6, inSync: 5 });
      const oid = await other.query<{ oid: string }>(`SELECT 't0'::regnamespace::oid::text oid`);
      expect(parameters.filter(isDetailed).flatMap(([oids]) => oids)).toEqual([oid[0]?.oid]);
    } finally {
      await shops.close();
      await other.drop();
    }
  });

  it('are looked at one by one in no tenant that is in order, whatever its rows’ values', async () => {
    const other = await createTestDatabase();
    const odd = [
      `o'brien`,
      `''`,
      `back\\slash`,
      `100%`,
      `%1$s %% %`,
      `$1`,
      `"quoted"`,
      `naïve ☃ 客户`,
      `two\nlines`,
      `tab\t`,
      ` `,
      ``,
      `42`,
      `007`,
      `-1`,
      `1) OR (true`,
      `x'::text) OR ('y`,
      `NULL`,
      `true`,
      `E'x'`,
      `{a,b}`,
      `(x,y)`,
      `\u0002`,
      `same_schema.x`,
    ];
    try {
      const odds = await openFleet(other.url);
      for (const schema of ['plain', 'odd']) await other.exec(shopTenant(schema, schema === 'odd' ? odd : ['a', 'b']));
      const { plan, parameters } = await planned(odds);
      expect(plan.summary).toMatchObject({ tenants: 2, inSync: 2, unreadable: 0 });
      expect(parameters.filter(isDetailed)).toEqual([]);
      await odds.close();
    } finally {
      await other.drop();
    }
  });
});
