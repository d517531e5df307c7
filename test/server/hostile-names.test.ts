import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quoteIdentifier, quoteLiteral } from '../../src/sql/quote.js';
import { insertBank, KINDS, memberName, VECTOR_INDEXES_SQL } from '../support/banks.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const DDL = /^\s*(create|drop|alter|lock)\b/iu;

const SCHEMAS = [
  'Tenant-A',
  'tenant x',
  'select',
  // Reserved by newer servers only: what quotes it and what does not must still agree.
  'json_table',
  'ü'.repeat(31),
  `a${'b'.repeat(62)}`,
  'with "quotes"',
  "o'brien",
  'back\\slash',
  'dot.dot',
  '100%_',
  ':"schema"',
  'x"; DROP SCHEMA public CASCADE; --',
  '/* not a comment',
  'two\nlines',
] as const;

/** Bank ids of the tenant acme. */
const BANKS = [
  "o'brien",
  'x-hnsw',
  'ünï',
  'l'.repeat(200),
  'back\\slash',
  '100%',
  '"quoted"',
  'world',
  '',
  'acme.com',
  "'); DROP TABLE banks; --",
  'two\nlines\ttab',
  '$1 :schema ${bank.bank_id} \u0001',
  "E'\\''::text AND true",
  '🏦',
] as const;

let test: TestDatabase;
let fleet: FleetUnderTest;

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
});

afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

async function expectConverged(schemas: readonly string[]): Promise<void> {
  const plan = await fleet.plan();
  expect(plan.databases[0]?.unreadable).toEqual([]);
  expect(schemas.map((schema) => [schema, changesOf(plan, schema)])).toEqual(schemas.map((schema) => [schema, []]));
  fleet.forget();
  await fleet.apply();
  expect(fleet.statements.filter((sql) => DDL.test(sql))).toEqual([]);
}

describe('bank ids', () => {
  it('G8: of every kind have their members built once, and are in sync then', async () => {
    await fleet.provision(['acme']);
    const ids = [...BANKS];
    await test.exec(ids.map((id, at) => insertBank('acme', at + 1, id)).join(''));
    const outcome = await fleet.apply();
    expect(outcome.tenants).toMatchObject([{ schema: 'acme', outcome: 'converged', error: null }]);
    const built = await test.query<{ name: string; valid: boolean }>(VECTOR_INDEXES_SQL, ['acme']);
    expect(built.map(({ name, valid }) => [name, valid])).toEqual(
      ids.flatMap((_, at) => KINDS.map(({ code }) => [memberName(code, at + 1), true])).sort(),
    );
    await expectConverged(['acme']);
  });

  it('G8: the members serve exactly the rows of their own bank', async () => {
    await test.exec(
      BANKS.map(
        (id) =>
          `INSERT INTO acme.memory_units (bank_id, text, embedding) VALUES (${quoteLiteral(id)}, 'x', array_fill(1, ARRAY[384])::public.vector);`,
      ).join(''),
    );
    const members = await test.query<{ id: string; predicate: string }>(
      `select b.bank_id id, pg_get_expr(i.indpred, i.indrelid) predicate from acme.banks b join pg_index i
           on i.indexrelid = to_regclass('acme.idx_mu_emb_worl_' || left(replace(b.internal_id::text, '-', ''), 16))`,
    );
    const served = members.map(
      ({ id, predicate }) => `SELECT ${quoteLiteral(id)} id, bank_id FROM acme.memory_units WHERE ${predicate}`,
    );
    const found = await test.query<{ id: string; bank_id: string }>(served.join(' UNION ALL '));
    expect(found).toHaveLength(BANKS.length);
    expect(found.filter((row) => row.id !== row.bank_id)).toEqual([]);
  });

  it('G8: a member lost or made over another hostile bank is put right', async () => {
    const [first, second] = [memberName('worl', 1), memberName('worl', 5)];
    await test.exec(`DROP INDEX acme.${memberName('obsv', 11)};
      ALTER INDEX acme.${first} RENAME TO swapping; ALTER INDEX acme.${second} RENAME TO ${first}; ALTER INDEX acme.swapping RENAME TO ${second};`);
    const { tenants } = await fleet.apply();
    expect(tenants).toMatchObject([{ outcome: 'converged', error: null }]);
    await expectConverged(['acme']);
  });
});

describe('schema names', () => {
  it('G9: are quoted and keep their case, through provisioning, plan, apply and plan', async () => {
    await fleet.provision(SCHEMAS);
    const found = await test.query<{ nspname: string }>(`select nspname from pg_namespace where nspname = any($1)`, [
      [...SCHEMAS],
    ]);
    expect(found.map((row) => row.nspname).sort()).toEqual([...SCHEMAS].sort());
    await expectConverged(SCHEMAS);
    const plan = await fleet.plan();
    // acme's release stamp aside, all hash alike: a name must not split shapes.
    expect(plan.summary.shapes).toBe(1);
  });

  it('G9: damage in each of them is seen and mended', async () => {
    const wrong = SCHEMAS.map((schema) => quoteIdentifier(schema)).map(
      (schema) => `
        DROP INDEX ${schema}.idx_banks_config;
        ALTER TABLE ${schema}.banks DROP COLUMN mission;
        ALTER TABLE ${schema}.webhooks DROP CONSTRAINT fk_webhooks_bank_id;
        INSERT INTO ${schema}.banks (bank_id, internal_id) VALUES ('x', '11111111-aaaa-4aaa-8aaa-aaaaaaaaaaaa');
        CREATE INDEX idx_memory_units_embedding ON ${schema}.memory_units USING hnsw (embedding public.vector_cosine_ops);`,
    );
    await test.exec(wrong.join(''));
    const plan = await fleet.plan();
    const expected = changesOf(plan, 'Tenant-A');
    expect(expected).toHaveLength(5);
    expect(SCHEMAS.map((schema) => [schema, changesOf(plan, schema)])).toEqual(
      SCHEMAS.map((schema) => [schema, expected]),
    );
    expect(plan.classes).toHaveLength(1);
    const outcome = await fleet.apply();
    expect(outcome.tenants.flatMap((tenant) => (tenant.error === null ? [] : [[tenant.schema, tenant.error]]))).toEqual(
      [],
    );
    await expectConverged(SCHEMAS);
  });

  it('G9: can be named, and one that is named with another case does not exist', async () => {
    for (const schema of ['Tenant-A', 'x"; DROP SCHEMA public CASCADE; --']) {
      const plan = await fleet.plan({ schemas: [schema] });
      expect(plan.databases[0]?.tenants.map((tenant) => tenant.schema)).toEqual([schema]);
    }
    await expect(fleet.plan({ schemas: ['tenant-a'] })).rejects.toMatchObject({ code: 'UNKNOWN_SCHEMA' });
  });

  it.each([
    ['', 'it is empty'],
    // The server would cut it off, and make a schema of the shorter name.
    ['ö'.repeat(32), 'it has 64 bytes, and PostgreSQL keeps 63'],
    ['pg_tenant', 'names that begin with pg_ are kept for PostgreSQL’s own'],
  ])('that none can have are refused before any is made: %s', async (schema, why) => {
    const making = fleet.apply({ schemas: ['not_made', schema], createSchema: true });
    await expect(making).rejects.toThrow(`no schema can be called "${schema}": ${why}`);
    expect(await test.query("SELECT nspname FROM pg_namespace WHERE nspname IN ('not_made', repeat('ö', 31))")).toEqual(
      [],
    );
  });

  it('S5: a bank that is called like its schema’s own tables is a bank', async () => {
    const banks = SCHEMAS.slice(0, 12).flatMap((schema) => [
      insertBank(schema, 2, `${schema}.com`) + insertBank(schema, 3, `${quoteIdentifier(schema)}.memory_units`),
    ]);
    await test.exec(banks.join(''));
    const outcome = await fleet.apply();
    expect(outcome.tenants.flatMap((tenant) => (tenant.error === null ? [] : [[tenant.schema, tenant.error]]))).toEqual(
      [],
    );
    await expectConverged(SCHEMAS);
  });

  it('S5: foreign objects with hostile names are left alone', async () => {
    await test.exec(`
      CREATE TABLE "Tenant-A"."x""; DROP TABLE banks; --" (id int);
      CREATE INDEX "y'; DROP TABLE banks; --" ON "Tenant-A".banks (name);
      CREATE INDEX "trueup_Not""ours" ON "Tenant-A".memory_units USING hnsw (embedding public.vector_cosine_ops);
      ALTER TABLE "Tenant-A".banks ADD COLUMN "z"", mission" text DEFAULT $x$'; DROP TABLE banks; --$x$;`);
    const only = { schemas: ['Tenant-A'] };
    expect(changesOf(await fleet.plan(only), 'Tenant-A')).toEqual(['drop-index memory_units.trueup_Not"ours pending']);
    const { tenants } = await fleet.apply(only);
    expect(tenants).toMatchObject([{ outcome: 'converged', error: null }]);
    expect(changesOf(await fleet.plan(only), 'Tenant-A')).toEqual([]);
    expect(
      await test.query(
        `select from pg_class where relname in ('x"; DROP TABLE banks; --', 'y''; DROP TABLE banks; --')`,
      ),
    ).toHaveLength(2);
  });

  it('stand in remedies as a shell takes them', async () => {
    await test.exec('CREATE SCHEMA "half & half"; CREATE TABLE "half & half".banks ()');
    expect((await fleet.plan()).databases[0]?.diagnostics).toMatchObject([
      { code: 'LOOKS_LIKE_A_TENANT', remedy: expect.stringContaining("--schema 'half & half';") },
    ]);
    await expect(fleet.plan({ schemas: ['$(id) #'] })).rejects.toMatchObject({
      options: { remedy: expect.stringContaining("trueup apply --create-schema --schema '$(id) #'") },
    });
  });
});
