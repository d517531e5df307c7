import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrueupError } from '../../src/trueup-error.js';
import { insertBank } from '../support/banks.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet, SHIPPED } from '../support/fleet.js';
import { startServer } from '../support/postgres/server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Drift that asks for row evidence, the release stamp, the server's judgement and an index's usage. */
const DAMAGE = `
  ALTER TABLE tenant_0001.banks DROP COLUMN mission;
  ALTER TABLE tenant_0001.banks ALTER COLUMN config SET DEFAULT '{"a": 1}';
  CREATE INDEX idx_memory_units_embedding ON tenant_0001.memory_units USING hnsw (embedding public.vector_cosine_ops);`;

const WRITES = /^\s*(create|drop|alter|lock|update|insert|delete|truncate)\b/iu;

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

/** Plans as a role of its own, with the given rights in the tenant's schema. */
async function asRole<T>(rights: string, work: (fleet: FleetUnderTest) => Promise<T>): Promise<T> {
  const role = `trueup_${test.name.slice(-16)}`;
  await test.exec(`CREATE ROLE ${role} LOGIN; ${rights.replaceAll('ROLE', role)}`);
  const own = await openFleet(test.urlFor(role));
  try {
    return await work(own);
  } finally {
    await own.close();
    await test.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
}

describe('plan', () => {
  it('N5: works for a role that may only connect, use and select, drift and all, and writes nothing', async () => {
    const rights =
      'GRANT USAGE ON SCHEMA tenant_0001 TO ROLE; GRANT SELECT ON ALL TABLES IN SCHEMA tenant_0001 TO ROLE';
    await asRole(rights, async (reader) => {
      expect((await reader.plan()).summary).toMatchObject({ inSync: 1, drifted: 0, unreadable: 0 });
      await test.exec(DAMAGE);
      reader.forget();
      const seen = changesOf(await reader.plan(), 'tenant_0001');
      expect(seen).toHaveLength(3);
      expect(seen).toEqual(changesOf(await fleet.plan(), 'tenant_0001'));
      expect(reader.statements.filter((sql) => WRITES.test(sql))).toEqual([]);
    });
    expect((await fleet.apply()).summary).toMatchObject({ converged: 1 });
  });

  it('N5: works for a role that may read only the table that the family is generated from', async () => {
    const rights = 'GRANT USAGE ON SCHEMA tenant_0001 TO ROLE; GRANT SELECT ON tenant_0001.banks TO ROLE';
    const plan = await asRole(rights, (reader) => reader.plan());
    expect(plan.summary).toMatchObject({ tenants: 1, inSync: 1, unreadable: 0 });
  });

  it('C14: a tenant whose release stamp the role may not read may be of another release: its base phase is refused', async () => {
    const rights = 'GRANT USAGE ON SCHEMA tenant_0001 TO ROLE; GRANT SELECT ON tenant_0001.banks TO ROLE';
    await test.exec('ALTER TABLE tenant_0001.banks DROP COLUMN mission');
    const plan = await asRole(rights, (reader) => reader.plan());
    expect(changesOf(plan, 'tenant_0001')).toEqual(['add-column banks.mission blocked']);
    const [item] = itemsOf(plan, 'tenant_0001');
    expect(item?.change.obstacle).toMatch(/release could not be read from alembic_version\.version_num/u);
    expect(item?.change.remedy).toMatch(/let the role read alembic_version/u);
    expect((await fleet.apply()).summary).toMatchObject({ converged: 1 });
  });

  it.each([
    ['row of the family’s table', 'GRANT USAGE ON SCHEMA tenant_0001 TO ROLE'],
    ['schema', ''],
  ])('N5: where the role may read no %s that tenant is unreadable, and no member is an orphan', async (_, rights) => {
    const plan = await asRole(rights, (blind) => blind.plan());
    expect(plan.summary).toMatchObject({ tenants: 1, inSync: 0, drifted: 0, unreadable: 1 });
    expect(plan.databases[0]?.unreadable).toMatchObject([{ schema: 'tenant_0001', code: 'TENANT_UNREADABLE' }]);
  });

  it('N5: works on a hot standby as on its primary, drift and all', async () => {
    const primary = await startServer();
    const writing = await openFleet(primary.url('postgres'));
    const admin = new pg.Client({ connectionString: primary.url('postgres') });
    try {
      await admin.connect();
      await admin.query('CREATE EXTENSION vector SCHEMA public; CREATE EXTENSION pg_trgm SCHEMA public');
      await writing.provision(['tenant_0001']);
      await admin.query(insertBank('tenant_0001', 1, 'first') + DAMAGE);
      const standby = await startServer({ standbyOf: primary });
      const reading = await openFleet(standby.url('postgres'));
      try {
        const seen = changesOf(await reading.plan(), 'tenant_0001');
        expect(seen).toHaveLength(4);
        expect(seen).toEqual(changesOf(await writing.plan(), 'tenant_0001'));
        // Each tenant would fail by itself, and the report say to run again there.
        await expect(reading.apply()).rejects.toMatchObject({
          code: 'SERVER_READ_ONLY',
          message: expect.stringContaining(`127.0.0.1:${standby.port}`),
          options: { remedy: expect.stringContaining('primary') },
        });
      } finally {
        await reading.close();
        await standby.remove();
      }
    } finally {
      await writing.close();
      await admin.end();
      await primary.remove();
    }
  });
});

it('an apply whose sessions are read only is refused before it begins: online builds would fail, and transactions not', async () => {
  const test = await createTestDatabase();
  const writing = await openFleet(test.url);
  try {
    await writing.provision(['tenant_0001']);
    await test.exec('DROP INDEX tenant_0001.idx_banks_config');
    const [row] = await test.query<{ name: string }>('SELECT pg_catalog.current_database() "name"');
    await test.exec(`ALTER DATABASE ${row?.name} SET default_transaction_read_only = on`);
    const reading = await openFleet(test.url);
    try {
      expect(changesOf(await reading.plan(), 'tenant_0001')).toHaveLength(1);
      await expect(reading.apply()).rejects.toMatchObject({
        code: 'SERVER_READ_ONLY',
        message: expect.stringContaining('default_transaction_read_only'),
      });
    } finally {
      await reading.close();
    }
  } finally {
    await writing.close();
    await test.drop();
  }
});

describe('no tenant', () => {
  it('N6: none found is an error that says what was looked for, and how to go on', async () => {
    const empty = await createTestDatabase();
    const none = await openFleet(empty.url);
    try {
      const error = await none.plan().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'NO_TENANT', message: expect.stringMatching(/banks and memory_units/u) });
      expect((error as TrueupError).options.where).toBe(`${join(SHIPPED, 'fleet.yaml')}: tenants`);
      expect((error as TrueupError).options.remedy).toMatch(/--schema.*--create-schema.*--allow-empty/u);
      expect((await none.plan({ allowEmpty: true })).summary).toMatchObject({ tenants: 0 });
      await empty.exec('CREATE SCHEMA half; CREATE TABLE half.banks (bank_id text)');
      const error2 = await none.plan().catch((thrown: unknown) => thrown);
      expect(error2).toMatchObject({ code: 'NO_TENANT' });
      const { databases } = await none.plan({ allowEmpty: true });
      expect(databases[0]?.diagnostics).toMatchObject([{ code: 'LOOKS_LIKE_A_TENANT', schema: 'half' }]);
    } finally {
      await none.close();
      await empty.drop();
    }
  });

  it.each([
    ['tenant_001', /did you mean "tenant_0001"\?/u],
    ['TENANT_0001', /did you mean "tenant_0001"\?/u],
    ['tenant_0001,public', /^give each schema a --schema of its own$/u],
    ['tenant_0001,quite_another', /--create-schema/u],
    ['quite_another', /^(?!.*did you mean)/u],
    ['pg_catalog', /holds the application’s tables/u],
    ['', /./u],
  ])('N6: %j, which is no schema of an application, is an error', async (schema, remedy) => {
    const error = await fleet.plan({ schemas: [schema] }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'UNKNOWN_SCHEMA' });
    expect((error as TrueupError).options.remedy).toMatch(remedy);
  });
});
