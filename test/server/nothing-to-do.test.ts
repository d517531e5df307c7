import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertBank } from '../support/banks.js';
import { writeDesiredState } from '../support/desired-state-fixture.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { loadReferenceTenant, referenceTenantSql } from '../support/reference-tenant.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const DDL = /^\s*(create|drop|alter|lock|update|insert|delete|truncate|reindex|comment|grant)\b/iu;

let test: TestDatabase;
let fleet: FleetUnderTest;

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['tenant_0001']);
  await test.exec(insertBank('tenant_0001', 1, 'first'));
  await fleet.apply();
});

afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

/** Statements that read or write a table of a tenant. EXPLAIN reads none: it judges the view of one tenant a shape. */
const touching = (schema: string) =>
  fleet.statements.filter((sql) => !sql.startsWith('EXPLAIN') && new RegExp(`\\b${schema}\\.`, 'u').test(sql));

describe('a converged fleet', () => {
  it('N1: has no drift, and only the table that a family is generated from is read', async () => {
    fleet.forget();
    const plan = await fleet.plan();
    expect(plan.summary).toMatchObject({ tenants: 1, inSync: 1, drifted: 0, unreadable: 0, shapes: 1 });
    const read = touching('tenant_0001').flatMap((sql) =>
      [...sql.matchAll(/tenant_0001\.(\w+)/gu)].map(([, of]) => of),
    );
    expect([...new Set(read)]).toEqual(['banks']);
    expect(fleet.statements.filter((sql) => DDL.test(sql))).toEqual([]);
  });

  it('N1: reads nothing of any tenant when no phase with a family is part of the run', async () => {
    fleet.forget();
    const plan = await fleet.plan({ load: { phases: ['base', 'text-search'] } });
    expect(plan.summary).toMatchObject({ inSync: 1, drifted: 0 });
    expect(touching('tenant_0001')).toEqual([]);
  });

  it('N1: with a row threshold it counts rows of the members’ table, and no further than the threshold', async () => {
    await test.exec("INSERT INTO tenant_0001.memory_units (bank_id, text) VALUES ('first', 'x')");
    fleet.forget();
    await fleet.plan({ load: { parameters: { vector_index_min_rows: '7' } } });
    await test.exec('DELETE FROM tenant_0001.memory_units');
    const reading = touching('tenant_0001');
    const tables = new Set(
      reading.flatMap((sql) => [...sql.matchAll(/tenant_0001\.(\w+)/gu)].map(([, table]) => table)),
    );
    expect([...tables].sort()).toEqual(['banks', 'memory_units']);
    expect(reading.filter((sql) => sql.includes('memory_units') && !sql.includes('limit 7'))).toEqual([]);
  });

  it('N2: is left alone by apply, twice', async () => {
    fleet.forget();
    for (let time = 1; time <= 2; time += 1) {
      const outcome = await fleet.apply();
      expect(outcome.summary).toMatchObject({ tenants: 1, inSync: 1, converged: 0 });
      expect(outcome.databaseChanges).toEqual([]);
    }
    expect(fleet.statements.filter((sql) => DDL.test(sql) || sql.includes('advisory'))).toEqual([]);
  });

  it.runIf(referenceTenantSql('x') !== null)('N4: a tenant that the application made is in sync', async () => {
    await loadReferenceTenant(test, 'Made Elsewhere');
    const plan = await fleet.plan();
    expect(changesOf(plan, 'Made Elsewhere')).toEqual([]);
    expect(plan.summary).toMatchObject({ tenants: 2, inSync: 2 });
    await test.exec('DROP SCHEMA "Made Elsewhere" CASCADE');
  });

  it('N3: takes a second session’s statements more to plan with 600 tenants and with 1,000, rows aside', async () => {
    const many = await createTestDatabase();
    const large = await openFleet(many.url);
    const directory = writeDesiredState(SMALL, {});
    const counts: [number, number][] = [];
    try {
      for (const [from, to] of [
        [1, 1],
        [2, 600],
        [601, 1000],
      ] as const) {
        for (let at = from; at <= to; at += 200) await many.exec(smallTenants(at, Math.min(to, at + 199)));
        if (counts.length === 0) await large.plan({ directory });
        await large.anew();
        const { summary } = await large.plan({ directory });
        expect(summary).toMatchObject({ drifted: 0, unreadable: 0, shapes: 1 });
        const rows = /^\s*(COPY|with w as materialized \(select \* from unnest\(\$1::int4)/u;
        counts.push([summary.tenants, large.statements.filter((sql) => !rows.test(sql)).length]);
      }
    } finally {
      await large.close();
      await many.drop();
    }
    const [[, one = 0] = [], ...more] = counts;
    expect(more.map(([tenants]) => tenants)).toEqual([600, 1000]);
    // The second one’s settings and snapshot, and the size of the fleet that they share.
    for (const [, statements] of more) expect(statements - one).toBeLessThanOrEqual(16);
  });

  it('N3: takes as many statements to plan with 200 tenants as with 10 and with one, batches of rows aside', async () => {
    const many = await createTestDatabase();
    const small = await openFleet(many.url);
    const directory = writeDesiredState(SMALL, {});
    const counts: [number, number][] = [];
    try {
      for (const [from, to] of [
        [1, 1],
        [2, 10],
        [11, 200],
      ] as const) {
        await many.exec(smallTenants(from, to));
        // What pg_catalog has is asked once a process.
        if (counts.length === 0) await small.plan({ directory });
        await small.anew();
        const { summary } = await small.plan({ directory });
        expect(summary).toMatchObject({ drifted: 0, unreadable: 0, shapes: 1 });
        counts.push([summary.tenants, small.statements.length]);
      }
    } finally {
      await small.close();
      await many.drop();
    }
    const [[, statements] = []] = counts;
    expect(counts).toEqual([
      [1, statements],
      [10, statements],
      // The rows that the family is generated from are copied, 250 tables a message, once it is seen which can be.
      [200, (statements ?? 0) + 1],
    ]);
  });
});

/** Two tables and a family, so that many tenants are soon made. */
const SMALL = {
  'fleet.yaml': `
version: 1
connection: { env: [SHOP_DATABASE_URL] }
tenants: { having_tables: [shops, items] }
phases:
  - { name: base, file: base.yaml }
`,
  'base.yaml': `
tables:
  shops:
    columns:
      id: { type: bigint, identity: always }
      code: { type: text, nullable: false }
    primary_key: { name: shops_pkey, columns: [id] }
  items:
    columns:
      shop: text
      kind: { type: text, default: "'new'" }
    index_families:
      - name: "items_\${shop.code}"
        for_each: { shop: { table: shops, values: { code: code } } }
        method: btree
        keys: [kind]
        where: "shop = \${shop.code}"
`,
};

const smallTenants = (from: number, to: number): string => `DO $do$ BEGIN FOR t IN ${from}..${to} LOOP
  EXECUTE format($$
    CREATE SCHEMA t%1$s;
    CREATE TABLE t%1$s.shops (id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT shops_pkey PRIMARY KEY, code text NOT NULL);
    CREATE TABLE t%1$s.items (shop text, kind text DEFAULT 'new');
    INSERT INTO t%1$s.shops (code) VALUES ('shop_%1$s');
    CREATE INDEX items_shop_%1$s ON t%1$s.items (kind) WHERE shop = 'shop_%1$s'
  $$, t);
END LOOP; END $do$`;
