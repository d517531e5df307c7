import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import { readNameHolders } from '../../src/catalog/name-holders.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = `
version: 1
tenants: { having_tables: [shops, items] }
phases:
  - { name: base, file: base.yaml, owns: { columns: [label], methods: [btree] } }
`;
const BASE = `
tables:
  shops:
    columns:
      shop_id: { type: text, nullable: false }
      label: text
    primary_key: { name: shops_pkey, columns: [shop_id] }
    indexes:
      - { name: idx_shops_label, keys: [label] }
  items:
    columns:
      id: { type: uuid, nullable: false, default: gen_random_uuid() }
      shop_id: { type: text, nullable: false }
      price: { type: "numeric(12,2)", nullable: false, default: 0 }
      code: text
      number: { type: bigint, serial: true }
    primary_key: { name: items_pkey, columns: [id] }
    unique:
      - { name: items_code_key, columns: [code] }
    foreign_keys:
      - { name: items_shop_fkey, columns: [shop_id], references: { table: shops, columns: [shop_id] } }
    indexes:
      - { name: idx_items_shop, keys: [shop_id, { column: price, order: desc }] }
materialized_views:
  totals:
    query: SELECT shop_id, count(*) AS items FROM \${schema}.items GROUP BY shop_id
    indexes:
      - { name: totals_shop, unique: true, keys: [shop_id] }
`;

let test: TestDatabase;
let fleet: FleetUnderTest;
let directory: string;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  directory = temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE });
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});
afterEach(() => test.exec('DROP SCHEMA IF EXISTS acme, bolt, empty CASCADE'));

/** Makes the tenants acme and bolt, and damages acme, whose tables hold rows. */
async function damage(sql: string): Promise<void> {
  await fleet.provision(['acme', 'bolt'], { directory });
  await test.exec(`INSERT INTO acme.shops SELECT n::text FROM generate_series(1, 3) n;
    INSERT INTO acme.items (shop_id, price, code) SELECT n::text, n, n::text FROM generate_series(1, 3) n; ${sql}`);
}

const options = () => ({ directory, schemas: ['acme', 'bolt'] });

const REMEDY = 'give that another name, or drop it, in the application’s own migration, then apply';

interface Taken {
  readonly title: string;
  readonly sql: string;
  /** The change that is refused, and why; what waits for it is refused as well. */
  readonly change: string;
  readonly obstacle: string;
  /** Makes the name free. */
  readonly free: string;
}

const TAKEN: readonly Taken[] = [
  {
    title: 'an index’s name that a sequence has',
    sql: 'DROP INDEX acme.idx_items_shop; CREATE SEQUENCE acme.idx_items_shop',
    change: 'create-index items.idx_items_shop blocked',
    obstacle: 'a sequence stands under its name',
    free: 'DROP SEQUENCE acme.idx_items_shop',
  },
  {
    title: 'an index’s name that a table has',
    sql: 'DROP INDEX acme.idx_items_shop; CREATE TABLE acme.idx_items_shop ()',
    change: 'create-index items.idx_items_shop blocked',
    obstacle: 'a table stands under its name',
    free: 'DROP TABLE acme.idx_items_shop',
  },
  {
    title: 'an index’s name that a view has',
    sql: 'DROP INDEX acme.idx_items_shop; CREATE VIEW acme.idx_items_shop AS SELECT 1 AS one',
    change: 'create-index items.idx_items_shop blocked',
    obstacle: 'a view stands under its name',
    free: 'DROP VIEW acme.idx_items_shop',
  },
  {
    title: 'an index’s name that a composite type has',
    sql: 'DROP INDEX acme.idx_items_shop; CREATE TYPE acme.idx_items_shop AS (one int)',
    change: 'create-index items.idx_items_shop blocked',
    obstacle: 'a composite type stands under its name',
    free: 'DROP TYPE acme.idx_items_shop',
  },
  {
    title: 'an index’s name that an index of another table has',
    sql: 'DROP INDEX acme.idx_items_shop; CREATE INDEX idx_items_shop ON acme.shops (shop_id)',
    change: 'create-index items.idx_items_shop blocked',
    obstacle: 'an index of table shops stands under its name',
    free: 'DROP INDEX acme.idx_items_shop',
  },
  {
    title: 'an index’s name that an exclusion constraint of its own table has',
    sql: `DROP INDEX acme.idx_items_shop;
          ALTER TABLE acme.items ADD CONSTRAINT idx_items_shop EXCLUDE USING btree (shop_id WITH =)`,
    change: 'create-index items.idx_items_shop blocked',
    obstacle: 'an exclusion constraint of table items stands under its name',
    free: 'ALTER TABLE acme.items DROP CONSTRAINT idx_items_shop',
  },
  {
    title: 'a name for which an index is to be renamed',
    sql: 'ALTER INDEX acme.idx_shops_label RENAME TO labels; CREATE SEQUENCE acme.idx_shops_label',
    change: 'rename-index shops.idx_shops_label blocked',
    obstacle: 'a sequence stands under its name',
    free: 'DROP SEQUENCE acme.idx_shops_label',
  },
  {
    title: 'a table’s name that an enum type has',
    sql: 'DROP TABLE acme.items CASCADE; CREATE TYPE acme.items AS ENUM ()',
    change: 'create-table items.items blocked',
    obstacle: 'an enum type stands under its name',
    free: 'DROP TYPE acme.items',
  },
  {
    title: 'a table’s name that a domain has',
    sql: 'DROP TABLE acme.items CASCADE; CREATE DOMAIN acme.items AS text',
    change: 'create-table items.items blocked',
    obstacle: 'a domain stands under its name',
    free: 'DROP DOMAIN acme.items',
  },
  {
    title: 'a table’s name that a sequence has',
    sql: 'DROP TABLE acme.items CASCADE; CREATE SEQUENCE acme.items',
    change: 'create-table items.items blocked',
    obstacle: 'a sequence stands under its name',
    free: 'DROP SEQUENCE acme.items',
  },
  {
    title: 'the name of a new table’s key',
    sql: 'DROP TABLE acme.items CASCADE; CREATE INDEX items_pkey ON acme.shops (shop_id)',
    change: 'create-table items.items blocked',
    obstacle: 'an index of table shops stands under the name "items_pkey" of its key',
    free: 'DROP INDEX acme.items_pkey',
  },
  {
    title: 'a materialized view’s name that a type has',
    sql: 'DROP MATERIALIZED VIEW acme.totals; CREATE TYPE acme.totals AS ENUM ()',
    change: 'create-materialized-view totals.totals blocked',
    obstacle: 'an enum type stands under its name',
    free: 'DROP TYPE acme.totals',
  },
  {
    title: 'the name of a missing key that an index of another table has',
    sql: 'ALTER TABLE acme.items DROP CONSTRAINT items_code_key; CREATE INDEX items_code_key ON acme.shops (shop_id)',
    change: 'add-constraint items.items_code_key blocked',
    obstacle: 'an index of table shops stands under its name',
    free: 'DROP INDEX acme.items_code_key',
  },
  {
    title: 'a name for which a key is to be renamed',
    sql: 'ALTER TABLE acme.items RENAME CONSTRAINT items_code_key TO codes; CREATE SEQUENCE acme.items_code_key',
    change: 'rename-constraint items.items_code_key blocked',
    obstacle: 'a sequence stands under its name',
    free: 'DROP SEQUENCE acme.items_code_key',
  },
  {
    title: 'the name of a key that is to take the place of one under another name',
    sql: `ALTER TABLE acme.items DROP CONSTRAINT items_pkey, ADD CONSTRAINT other PRIMARY KEY (id, shop_id);
          CREATE VIEW acme.items_pkey AS SELECT 1 AS one`,
    change: 'replace-constraint items.items_pkey blocked',
    obstacle: 'a view stands under its name',
    free: 'DROP VIEW acme.items_pkey',
  },
  {
    title: 'each other’s name of an index and a key of two tables: one of them renamed by hand is enough',
    sql: `ALTER INDEX acme.idx_shops_label RENAME TO labels;
          ALTER TABLE acme.items RENAME CONSTRAINT items_code_key TO idx_shops_label;
          ALTER INDEX acme.labels RENAME TO items_code_key`,
    change: 'rename-index shops.idx_shops_label blocked',
    obstacle: 'a unique constraint of table items stands under its name',
    free: 'ALTER INDEX acme.items_code_key RENAME TO labels',
  },
];

describe('C9: a name that another object has is refused in the plan, which says what has it', () => {
  it.each(TAKEN)('$title', async ({ sql, change, obstacle, free }) => {
    await damage(sql);
    const plan = await fleet.plan(options());
    expect(changesOf(plan, 'acme')).toContain(change);
    expect(changesOf(plan, 'acme').filter((one) => one.endsWith('pending'))).toEqual([]);
    const [action, rest = ''] = change.split(' ');
    const made = itemsOf(plan, 'acme').find((item) => `${item.change.table}.${item.change.object}` === rest);
    expect(made?.change).toMatchObject({ action, obstacle, remedy: REMEDY });
    expect(changesOf(plan, 'bolt')).toEqual([]);

    const { tenants } = await fleet.apply(options());
    expect(tenants.find(({ schema }) => schema === 'acme')).toMatchObject({ outcome: 'blocked', error: null });

    await test.exec(free);
    expect((await fleet.apply(options())).summary).toMatchObject({ converged: 1, inSync: 1 });
    expect(changesOf(await fleet.plan(options()), 'acme')).toEqual([]);
  });

  it('a schema that somebody made ahead, with a type in it, is refused as well', async () => {
    await test.exec('CREATE SCHEMA acme; CREATE TYPE acme.shops AS ENUM ()');
    const only = { directory, schemas: ['acme'] };
    expect(changesOf(await fleet.plan(only), 'acme')).toContain('create-table shops.shops blocked');
    await test.exec('DROP TYPE acme.shops');
    expect((await fleet.apply(only)).summary).toMatchObject({ converged: 1 });
  });
});

it('R16: a name that an index has whose drop waits for another session’s build is waited for', async () => {
  await damage('DROP INDEX acme.idx_items_shop; CREATE INDEX idx_items_shop ON acme.shops (label)');
  const [writer, builder] = [await test.connect(), await test.connect()];
  await writer.query('BEGIN; UPDATE acme.shops SET label = label');
  const building = builder.query('CREATE INDEX CONCURRENTLY slow ON acme.shops (lower(label))');
  building.catch(() => {});
  try {
    const begun = () => test.query("SELECT FROM pg_index WHERE indexrelid = to_regclass('acme.slow')");
    await expect.poll(begun, { timeout: 10_000 }).toHaveLength(1);
    expect([...changesOf(await fleet.plan(options()), 'acme')].sort()).toEqual([
      'create-index items.idx_items_shop deferred',
      'drop-index shops.idx_items_shop deferred',
      'drop-index shops.slow deferred',
    ]);
    let waits = 0;
    const observe = (event: ApplyEvent) => {
      if (event.kind !== 'tenant-waiting') return;
      waits += 1;
      void writer.query('COMMIT');
    };
    const { tenants } = await fleet.apply({ ...options(), run: { observe } });
    expect(tenants.map(({ schema, outcome, error }) => [schema, outcome, error])).toEqual([
      ['acme', 'converged', null],
      ['bolt', 'in-sync', null],
    ]);
    expect(waits).toBe(1);
  } finally {
    await writer.query('ROLLBACK').catch(() => {});
    await building.catch(() => {});
    await Promise.all([writer.end(), builder.end()]);
  }
});

it('C9: names that two tables would exchange by drops, each of which waits for the other’s build, are refused', async () => {
  const others = temporaryDesiredState({
    'fleet.yaml': FLEET,
    'base.yaml': `
tables:
  shops: { columns: { label: text }, indexes: [{ name: a, keys: [label] }] }
  items: { columns: { label: text }, indexes: [{ name: b, keys: [label] }] }`,
  });
  const only = { directory: others, schemas: ['acme'] };
  await fleet.provision(['acme'], { directory: others });
  await test.exec(
    `DROP INDEX acme.a, acme.b; CREATE INDEX b ON acme.shops (label DESC); CREATE INDEX a ON acme.items (label DESC)`,
  );
  expect(changesOf(await fleet.plan(only), 'acme').filter((one) => !one.endsWith('blocked'))).toEqual([]);
  expect((await fleet.apply(only)).tenants).toMatchObject([{ outcome: 'blocked', error: null }]);
  await test.exec('ALTER INDEX acme.a RENAME TO c');
  expect((await fleet.apply(only)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});

describe('C9: a serial column that would be left without a sequence is refused in the plan', () => {
  const NO_SEQUENCE = 'there is no sequence "items_number_seq" to draw from';
  it.each([
    {
      title: 'one whose sequence has another name',
      sql: 'ALTER SEQUENCE acme.items_number_seq RENAME TO numbers',
      obstacle: NO_SEQUENCE,
      mend: 'ALTER SEQUENCE acme.numbers RENAME TO items_number_seq',
    },
    {
      title: 'one whose sequence is gone',
      sql: 'ALTER TABLE acme.items ALTER number DROP DEFAULT; DROP SEQUENCE acme.items_number_seq',
      obstacle: NO_SEQUENCE,
      mend: 'CREATE SEQUENCE acme.items_number_seq START 4 OWNED BY acme.items.number',
    },
    {
      title: 'one that was made an identity, whose sequence has the serial’s name',
      sql: `ALTER TABLE acme.items ALTER number DROP DEFAULT; DROP SEQUENCE acme.items_number_seq;
            ALTER TABLE acme.items ALTER number ADD GENERATED BY DEFAULT AS IDENTITY (START 4)`,
      obstacle: 'its sequence goes with the identity, and a serial would have none to draw from',
      mend: `ALTER TABLE acme.items ALTER number DROP IDENTITY; CREATE SEQUENCE acme.items_number_seq START 4 OWNED BY acme.items.number`,
    },
  ])('$title', async ({ sql, obstacle, mend }) => {
    await damage(sql);
    const plan = await fleet.plan(options());
    expect(changesOf(plan, 'acme')).toEqual(['alter-column items.number blocked']);
    expect(itemsOf(plan, 'acme')[0]?.change).toMatchObject({
      obstacle,
      remedy: expect.stringMatching(/own migration/u),
    });
    const { tenants } = await fleet.apply(options());
    expect(tenants.find(({ schema }) => schema === 'acme')).toMatchObject({ outcome: 'blocked', error: null });

    await test.exec(mend);
    await fleet.apply(options());
    expect((await fleet.plan(options())).summary).toMatchObject({ inSync: 2, blocked: 0 });
    await test.exec("INSERT INTO acme.items (shop_id) VALUES ('1')");
  });
});

describe('a name is not in the way', () => {
  it.each([
    [
      'of what the same plan drops',
      'create-index items.idx_items_shop pending',
      'DROP INDEX acme.idx_items_shop; CREATE INDEX idx_items_shop ON acme.shops (label, label)',
    ],
    [
      'of what the same plan renames',
      'create-index items.idx_items_shop pending',
      'DROP INDEX acme.idx_items_shop; ALTER INDEX acme.idx_shops_label RENAME TO idx_items_shop',
    ],
    [
      'of a type, for an index',
      'create-index items.idx_items_shop pending',
      'DROP INDEX acme.idx_items_shop; CREATE TYPE acme.idx_items_shop AS ENUM ()',
    ],
    [
      'of a type that is only announced, for a table',
      'create-table items.items pending',
      'DROP TABLE acme.items CASCADE; CREATE TYPE acme.items',
    ],
    [
      'of a key that takes the declared one’s place on its table',
      'replace-constraint items.items_code_key pending',
      'ALTER TABLE acme.items DROP CONSTRAINT items_code_key; CREATE INDEX items_code_key ON acme.items (shop_id)',
    ],
  ])('%s', async (_, change, sql) => {
    await damage(sql);
    const changes = changesOf(await fleet.plan(options()), 'acme');
    expect(changes).toContain(change);
    expect(changes.filter((one) => one.endsWith('blocked'))).toEqual([]);
    await fleet.apply(options());
    expect((await fleet.plan(options())).summary).toMatchObject({ inSync: 2, blocked: 0 });
  });

  it('of an array, whose type PostgreSQL moves away itself', async () => {
    await test.exec('CREATE SCHEMA acme; CREATE TYPE acme.kind AS ENUM (); CREATE TABLE acme.shops ()');
    const session = await fleet.database.connect();
    try {
      const names = ['_kind', '_shops', 'shops', 'kind'].map((name) => ({ schema: 'acme', name, asTable: true }));
      const found = await readNameHolders(session, [...names, { schema: 'absent', name: 'kind', asTable: true }]);
      expect([...found]).toHaveLength(1);
      expect(found.get('acme')).toEqual(
        new Map([
          ['shops', { kind: 'table', what: 'a table' }],
          ['kind', { kind: 'other', what: 'an enum type' }],
        ]),
      );
    } finally {
      await session.close();
    }
  });
});

describe('what looking for names costs', () => {
  const statements = async (schemas: readonly string[]) => {
    await fleet.anew();
    await fleet.plan({ directory, schemas, createSchema: true });
    return fleet.statements.length;
  };
  const asked = () => fleet.statements.filter((sql) => sql.includes('typname = w.name')).length;

  it('nothing for a fleet in sync, for what needs no name, and for a schema that is not there', async () => {
    await damage('ALTER TABLE acme.items ALTER price DROP NOT NULL');
    await statements(['acme', 'bolt', 'absent']);
    expect(asked()).toBe(0);
  });

  it('one statement, however many names and tenants are to be looked up', async () => {
    await damage('DROP INDEX acme.idx_items_shop, acme.idx_shops_label; DROP INDEX bolt.idx_items_shop');
    await test.exec('DROP MATERIALIZED VIEW bolt.totals; CREATE SCHEMA empty');
    await statements(['acme', 'bolt', 'empty']);
    expect(asked()).toBe(1);
  });
});
