import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseMemory } from '../../src/catalog/database-memory.js';
import { readReleases } from '../../src/catalog/row-facts.js';
import { questionKey } from '../../src/diff/facts.js';
import { Answers } from '../../src/plan/answers.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { NO_EXTENSIONS } from '../support/no-extensions.js';
import { itemsIndex, itemsMember, shopState, shopTenant } from '../support/shop-fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const directory = shopState();
/** Of the extension phase alone: what is odd about a table's columns is for the base phase to say. */
const options = { directory, load: { phases: ['search'] } };

const ODD = [
  `o'brien`,
  `''`,
  `\\N`,
  `back\\slash`,
  `two\nlines`,
  `tab\t`,
  ` `,
  ``,
  `{a,b}`,
  `naïve ☃ 客户`,
  `%1$s`,
  `NULL`,
];
const plain = Array.from({ length: 255 }, (_, at) => `plain_${String(at).padStart(3, '0')}`);

/** Tenants of whose table COPY does not say what SELECT says, or not at all; all of them are in order. */
const OTHERWISE: Readonly<Record<string, string>> = {
  // The child's row is its parent's too, for SELECT.
  inherited: `CREATE TABLE inherited.more () INHERITS (inherited.shops); INSERT INTO inherited.more VALUES ('c', 3);
    ${itemsIndex('inherited', itemsMember('c'), 'c')}
    ${itemsIndex('inherited', itemsMember('c', 'new'), 'c', { where: `kind = 'new' AND shop = 'c'` })}
    CREATE INDEX orders_3 ON inherited.orders USING gin (body) WHERE shop_no = 3 AND body IS NOT NULL AND shop_no > 0;`,
  generated: `ALTER TABLE generated.shops DROP no, ADD no integer GENERATED ALWAYS AS (ascii(id) - 96) STORED;`,
  domain: `CREATE DOMAIN domain.code AS text; ALTER TABLE domain.shops ALTER id TYPE domain.code;`,
  collated: `ALTER TABLE collated.shops ALTER id TYPE text COLLATE "C";`,
  partitioned: `ALTER TABLE partitioned.shops RENAME TO shops_1;
    CREATE TABLE partitioned.shops (id text NOT NULL, no integer NOT NULL) PARTITION BY LIST (id);
    ALTER TABLE partitioned.shops ATTACH PARTITION partitioned.shops_1 FOR VALUES IN ('a', 'b');`,
  // Rows without a value have no member; so many are not fetched for nothing.
  large: `ALTER TABLE large.shops DROP CONSTRAINT shops_pkey, ALTER id DROP NOT NULL, ALTER no DROP NOT NULL;
    INSERT INTO large.shops SELECT NULL, NULL FROM generate_series(1, 33000);`,
};

let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  const tenants = [
    ...plain.map((schema) => shopTenant(schema, ['a'])),
    shopTenant('odd', ODD),
    ...Object.entries(OTHERWISE).map(([schema, sql]) => `${shopTenant(schema, ['a', 'b'])}\n${sql}`),
    `${shopTenant('lacking', ['a', 'b'])} DROP INDEX lacking."${itemsMember('b')}";`,
    `${shopTenant('orphaned', ['a', 'b'])} DELETE FROM orphaned.shops WHERE id = 'b';`,
    `${shopTenant('renamed', ['a', 'b'])} UPDATE renamed.shops SET id = 'z' WHERE id = 'b';`,
  ];
  for (let at = 0; at < tenants.length; at += 32) await test.exec(tenants.slice(at, at + 32).join('\n'));
}, 60_000);
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const drifting = (plan: FleetPlan): readonly string[] =>
  plan.databases.flatMap(({ tenants }) => tenants.flatMap(({ schema, changes }) => (changes.length > 0 ? schema : [])));

describe('rows of a large fleet', () => {
  it('are copied where COPY says what SELECT does, 250 tables a message, and read as they stand everywhere else', async () => {
    fleet.forget();
    const plan = await fleet.plan(options);
    expect(drifting(plan)).toEqual(['lacking', 'orphaned', 'renamed']);
    expect(itemsOf(plan, 'lacking')).toHaveLength(1);
    expect(plan.summary).toMatchObject({ tenants: plain.length + 10, unreadable: 0 });
    const copies = fleet.statements.filter((sql) => /^COPY /u.test(sql)).map((sql) => sql.split(';\n'));
    expect(Math.max(...copies.map((statements) => statements.length))).toBe(250);
    const copied = copies
      .flat()
      .map((statement) => /^COPY (\w+)\.shops \((\w+)\)/u.exec(statement)?.slice(1).join('.'));
    const selected = fleet.statements.flatMap((sql) => [...sql.matchAll(/ from (\w+)\.shops\b/gu)].map(([, of]) => of));
    const columns = [...plain, 'odd'].flatMap((schema) => [`${schema}.id`, `${schema}.no`]);
    expect(copied).toEqual(expect.arrayContaining(columns));
    expect(selected).toEqual(expect.arrayContaining(Object.keys(OTHERWISE)));
    for (const column of ['inherited.id', 'inherited.no', 'generated.no', 'domain.id', 'collated.id', 'partitioned.id'])
      expect(copied).not.toContain(column);
  });

  it('R20: that cannot be read are said of their tenant alone', async () => {
    const role = `reader_${test.name}`;
    const schemas = [...plain, 'odd', 'large'];
    await test.exec(`CREATE ROLE ${role} LOGIN;
      ${schemas.map((schema) => `GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role};`).join('\n')}
      REVOKE SELECT ON ${plain[7]}.shops FROM ${role};
      ALTER TABLE ${plain[9]}.shops ENABLE ROW LEVEL SECURITY;`);
    const reader = await openFleet(test.urlFor(role));
    try {
      const plan = await reader.plan({ ...options, schemas });
      const unreadable = plan.databases.flatMap((database) => database.unreadable.map(({ schema }) => schema));
      expect(unreadable).toEqual([plain[7], plain[9]]);
      expect(drifting(plan)).toEqual([]);
    } finally {
      await reader.close();
      await test.exec(
        `ALTER TABLE ${plain[9]}.shops DISABLE ROW LEVEL SECURITY; DROP OWNED BY ${role}; DROP ROLE ${role}`,
      );
    }
  });

  it('are copied as stamps where COPY writes what a cast to text does, and cast everywhere else', async () => {
    const session = await fleet.database.connect();
    const [padded = ''] = plain.slice(-1);
    await test.exec(`CREATE TABLE ${padded}.stamp (release char(4)); INSERT INTO ${padded}.stamp VALUES ('a')`);
    for (const schema of plain.slice(0, -1))
      await test.exec(
        `CREATE TABLE ${schema}.stamp (release varchar(4)); INSERT INTO ${schema}.stamp VALUES ('a'), ('b')`,
      );
    try {
      fleet.forget();
      const found = await readReleases(session, [...plain, 'odd'], { table: 'stamp', column: 'release' });
      expect([...new Set(plain.slice(0, -1).map((schema) => found.get(schema)))]).toEqual(['a, b']);
      expect([found.get(padded), found.get('odd')]).toEqual(['a', null]);
      expect(fleet.statements.filter((sql) => / from \w+\.stamp\b/u.test(sql))).toHaveLength(1);
    } finally {
      await session.close();
      await test.exec(plain.map((schema) => `DROP TABLE ${schema}.stamp;`).join(''));
    }
  });

  it('are looked at once a run as stamps, and read as they stand where a table has become another since', async () => {
    const session = await fleet.database.connect();
    const [viewed = ''] = plain;
    const release = { table: 'stamp', column: 'release', accepts: ['a'] };
    const memory = new DatabaseMemory();
    const stamps = async (schemas: readonly string[]) => {
      fleet.forget();
      const answers = new Answers({ session, names: NO_EXTENSIONS, release, beside: null, memory });
      await answers.fetch([{ question: { kind: 'release' }, schemas, tables: new Map() }]);
      return schemas.map((schema) => answers.of(schema, questionKey({ kind: 'release' }), { kind: 'release' }));
    };
    for (const schema of plain)
      await test.exec(`CREATE TABLE ${schema}.stamp (release text); INSERT INTO ${schema}.stamp VALUES ('a')`);
    try {
      expect(new Set(await stamps(plain))).toEqual(new Set(['a']));
      const looked = fleet.statements.length;
      await test.exec(
        `DROP TABLE ${viewed}.stamp; CREATE MATERIALIZED VIEW ${viewed}.stamp AS SELECT 'b'::text release`,
      );
      expect(new Set(await stamps(plain.slice(1)))).toEqual(new Set(['a']));
      expect(fleet.statements.length).toBe(looked - 1);
      expect(await stamps(plain)).toEqual(['b', ...plain.slice(1).map(() => 'a')]);
    } finally {
      await session.close();
      await test.exec(`DROP MATERIALIZED VIEW IF EXISTS ${viewed}.stamp`);
      await test.exec(plain.map((schema) => `DROP TABLE IF EXISTS ${schema}.stamp;`).join(''));
    }
  });

  it('are read as they stand where a table goes while they are copied', async () => {
    const { database } = fleet;
    const connect = database.connect.bind(database);
    let first = true;
    database.connect = async () => {
      const session = await connect();
      const copyOut = session.copyOut?.bind(session);
      if (copyOut !== undefined)
        session.copyOut = async (...statements) => {
          if (first) {
            first = false;
            await test.exec(`ALTER TABLE ${plain[3]}.shops RENAME TO gone`);
          }
          return copyOut(...statements);
        };
      return session;
    };
    try {
      const plan = await fleet.plan(options);
      expect(first).toBe(false);
      expect(plan.summary.tenants).toBe(plain.length + 10);
      expect(drifting(plan)).toEqual(['lacking', 'orphaned', 'renamed']);
      expect(plan.databases.flatMap((one) => one.unreadable.map(({ schema }) => schema))).toEqual([plain[3]]);
    } finally {
      database.connect = connect;
      await test.exec(`ALTER TABLE ${plain[3]}.gone RENAME TO shops`);
    }
  });
});
