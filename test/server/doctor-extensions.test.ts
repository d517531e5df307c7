import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertBank } from '../support/banks.js';
import { type LookOptions, look, of } from '../support/doctor.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let fleet: FleetUnderTest;

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['tenant_0001', 'tenant_0002']);
  await test.exec(insertBank('tenant_0001', 1, 'first'));
  await fleet.apply();
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const extensions = async (options: LookOptions = {}) => of(await look(test.url, options), 'extensions');
async function mend(options: LookOptions = {}): Promise<void> {
  for (const { statements } of await extensions(options))
    for (const statement of statements) await test.query(statement);
}

describe('doctor, of the application’s fleet', () => {
  it('says which extensions stand where', async () => {
    expect(await extensions()).toMatchObject([
      { severity: 'ok', what: expect.stringMatching(/^pg_trgm .* in schema public$/u) },
      { severity: 'ok', what: expect.stringMatching(/^vector .* in schema public$/u) },
    ]);
  });

  it('B10: vector outside of its schema, what a migration would drop, and how to move it', async () => {
    await test.exec('CREATE SCHEMA extensions; ALTER EXTENSION vector SET SCHEMA extensions');
    const found = (await extensions()).find(({ severity }) => severity !== 'ok');
    expect(found).toMatchObject({
      severity: 'warning',
      what: 'vector lives in schema "extensions", declared "public"',
      why: expect.stringMatching(/DROP EXTENSION … CASCADE.*\(\d+ columns in 2 tenants now\)/u),
      statements: ['ALTER EXTENSION vector SET SCHEMA public'],
    });
    await mend();
    expect((await extensions()).every(({ severity }) => severity === 'ok')).toBe(true);
    expect((await fleet.plan()).summary).toMatchObject({ inSync: 2 });
  });

  it('B11: an extension in a tenant’s schema, declared or not, and how to move it', async () => {
    await test.exec('ALTER EXTENSION pg_trgm SET SCHEMA tenant_0001; CREATE EXTENSION citext SCHEMA tenant_0002');
    const found = (await extensions()).filter(({ severity }) => severity !== 'ok');
    expect(found).toMatchObject([
      { severity: 'warning', what: 'pg_trgm lives in the tenant schema "tenant_0001"' },
      { severity: 'warning', statements: ['ALTER EXTENSION citext SET SCHEMA public'] },
    ]);
    await mend();
    expect((await extensions()).every(({ severity }) => severity === 'ok')).toBe(true);
  });

  it('B7: one that the server does not have, with the statement for an administrator', async () => {
    const [found] = (await extensions({ load: { backends: { vector: 'vchord' } } })).filter(
      ({ severity }) => severity === 'problem',
    );
    expect(found).toMatchObject({
      what: 'vchord is neither installed nor available on the server',
      statements: ['CREATE EXTENSION vchord SCHEMA public'],
    });
  });

  it('B8: one that apply would create, and one that its role may not', async () => {
    const other = await createTestDatabase({ template: false });
    try {
      await other.exec(`CREATE ROLE ${other.name} LOGIN`);
      const seen = of(await look(other.url), 'extensions');
      expect(seen.map(({ severity }) => severity)).toEqual(['note', 'note']);
      const asRole = of(await look(other.urlFor(other.name)), 'extensions');
      expect(asRole.map(({ severity }) => severity)).toEqual(['problem', 'problem']);
      for (const { statements } of asRole) for (const statement of statements) await other.query(statement);
      expect(of(await look(other.url), 'extensions').map(({ severity }) => severity)).toEqual(['ok', 'ok']);
    } finally {
      await other.exec(`DROP OWNED BY ${other.name}; DROP ROLE ${other.name}`);
      await other.drop();
    }
  });

  it('S2: tells unused and INVALID members by their family, never by name', async () => {
    await test.exec(`
      UPDATE pg_index SET indisvalid = false WHERE indexrelid IN (
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'tenant_0001' AND c.relname LIKE 'idx\\_mu\\_emb\\_%')`);
    const seen = await look(test.url);
    expect(of(seen, 'invalid-indexes')).toMatchObject([
      { severity: 'warning', subjects: { shown: [expect.stringMatching(/members of idx_mu_emb_\$\{.*\(3\)$/u)] } },
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/idx_mu_emb_(?:worl|expr|obsv)/u);
    await fleet.apply();
    expect(of(await look(test.url), 'invalid-indexes')).toMatchObject([{ severity: 'ok' }]);
  });

  it('leaves an INVALID index that a phase owns to apply, though nothing declares it; says of which phase it is', async () => {
    await test.exec(`CREATE INDEX stray_ccnew ON tenant_0002.memory_units USING hnsw (embedding public.vector_cosine_ops);
      UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tenant_0002.stray_ccnew'::regclass`);
    const subjects = { shown: ['tenant_0002.stray_ccnew on memory_units'] };
    expect(of(await look(test.url), 'invalid-indexes')).toMatchObject([
      { severity: 'warning', remedy: expect.stringContaining('trueup apply'), statements: [], subjects },
    ]);
    expect(of(await look(test.url, { load: { phases: ['text-search'] } }), 'invalid-indexes')).toMatchObject([
      { what: expect.stringContaining('leaves out (vector)'), statements: [], subjects },
    ]);
    await fleet.apply();
    expect(of(await look(test.url), 'invalid-indexes')).toMatchObject([{ severity: 'ok' }]);
  });

  it('tells owned indexes without a scan, by their size and since when; a scan takes one off', async () => {
    await test.exec(`INSERT INTO tenant_0001.mental_models (id, bank_id, name, source_query, content, embedding)
      SELECT gen_random_uuid()::text, 'first', n::text, 'q', repeat(md5(n::text), 20), (SELECT array_agg(random())::real[] FROM generate_series(n, n + 383))::public.vector FROM generate_series(1, 800) n`);
    await test.exec('REINDEX TABLE tenant_0001.mental_models');
    const [found] = of(await look(test.url), 'unused-indexes');
    expect(found).toMatchObject({
      severity: 'note',
      what: expect.stringMatching(/MB of owned indexes served no scan since/u),
    });
    expect(found?.subjects.shown[0]).toMatch(
      /^mental_models: 2 of 2 indexes idx_mental_models_embedding, in 2 tenants/u,
    );
    await test.exec(`SET enable_seqscan = off; SELECT id FROM tenant_0001.mental_models
      ORDER BY embedding OPERATOR(public.<=>) array_fill(1::real, ARRAY[384])::public.vector LIMIT 1; SET enable_seqscan = on`);
    await test.disconnect();
    const after = of(await look(test.url), 'unused-indexes');
    expect(JSON.stringify(after)).not.toContain('2 of 2 indexes idx_mental_models_embedding');
  });

  it('tells the application’s migration at work, by the lock that it holds', async () => {
    const migration = await test.connect();
    const key = `('x' || substr(encode(sha256('tenant_0002'::bytea), 'hex'), 9, 8))::bit(32)::bigint & 2147483647`;
    await migration.query(`SELECT pg_advisory_lock(${key})`);
    expect(of(await look(test.url), 'migrations')).toMatchObject([
      { severity: 'note', subjects: { shown: [expect.stringMatching(/^tenant_0002 \(process \d+\)$/u)] } },
    ]);
    await migration.end();
  });

  it('tells that the role may not use the schema of an extension, whose types and operator classes apply has to name', async () => {
    const role = `trueup_${test.name.slice(-16)}`;
    await test.exec(`CREATE ROLE ${role} LOGIN; CREATE SCHEMA "Ext"; ALTER EXTENSION vector SET SCHEMA "Ext"`);
    try {
      const closed = async () =>
        of(await look(test.urlFor(role)), 'privileges').filter(({ what }) => what.includes('a declared extension'));
      const found = await closed();
      expect(found).toMatchObject([{ severity: 'warning', statements: [`GRANT USAGE ON SCHEMA "Ext" TO ${role}`] }]);
      await test.query(found[0]?.statements[0] ?? '');
      expect(await closed()).toEqual([]);
    } finally {
      await test.exec(
        `ALTER EXTENSION vector SET SCHEMA public; DROP SCHEMA "Ext"; DROP OWNED BY ${role}; DROP ROLE ${role}`,
      );
    }
  });

  it('R20: tells row security that hides rows of a family’s table', async () => {
    const role = `trueup_${test.name.slice(-16)}`;
    await test.exec(`CREATE ROLE ${role} LOGIN; GRANT pg_read_all_data TO ${role};
      ALTER TABLE tenant_0002.banks ENABLE ROW LEVEL SECURITY`);
    try {
      const hidden = async () =>
        of(await look(test.urlFor(role)), 'privileges').filter(({ severity }) => severity === 'problem');
      const found = await hidden();
      expect(found).toMatchObject([{ subjects: { shown: ['tenant_0002'] } }]);
      await test.query(found[0]?.statements[0] ?? '');
      expect(await hidden()).toEqual([]);
    } finally {
      await test.exec(
        `ALTER TABLE tenant_0002.banks DISABLE ROW LEVEL SECURITY; DROP OWNED BY ${role}; DROP ROLE ${role}`,
      );
    }
  });
});
