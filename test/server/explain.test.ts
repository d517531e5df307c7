import { Ansis } from 'ansis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadOptions } from '../../src/desired-state/load-options.js';
import { explainFleet } from '../../src/explain/explain-fleet.js';
import type { Explanation, ProbeResult } from '../../src/explain/explanation.js';
import { DEFAULT_STATEMENT_TIMEOUT, type ExplainRequest } from '../../src/explain/request.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { explainDocument } from '../../src/report/explain-json.js';
import { explainText } from '../../src/report/explain-text.js';
import { MemberNames } from '../../src/report/member-names.js';
import { quoteIdentifier, quoteLiteral } from '../../src/sql/quote.js';
import { createMember, insertBank, memberName } from '../support/banks.js';
import { type FleetUnderTest, loadShipped, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const GLOBAL = 'idx_memory_units_embedding';
const BIG = "Greta Garbo's";
const SMALL = 'Flann';
/** Narrow vectors: 20,000 of them are indexed in seconds. */
const LOAD: Partial<LoadOptions> = { parameters: { embedding_dimension: '8' } };

let test: TestDatabase;
let fleet: FleetUnderTest;

const memories = (schema: string, bank: string, rows: number, fact = 'world') =>
  `INSERT INTO ${quoteIdentifier(schema)}.memory_units (bank_id, text, fact_type, search_vector, embedding)
   SELECT ${quoteLiteral(bank)}, 'Topic' || n % 500 || ', and what came of it', '${fact}',
          to_tsvector('english', 'Topic' || n % 500 || ', and what came of it'), (SELECT array_agg(sin(n * 7919 + i * 104729)) FROM generate_series(1, 8) i)::public.vector
     FROM generate_series(1, ${rows}) n;`;

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['acme'], { load: LOAD });
  await test.exec(insertBank('acme', 1, BIG) + insertBank('acme', 2, SMALL));
  await test.exec(memories('acme', BIG, 20_000) + memories('acme', SMALL, 500, 'experience'));
  await test.exec(createMember('acme', 1, BIG, 'worl') + createMember('acme', 2, SMALL, 'expr'));
  await test.exec('ANALYZE acme.memory_units');
}, 180_000);

afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

async function explain(request: Partial<ExplainRequest> = {}, schemas = ['acme'], of = fleet): Promise<Explanation> {
  return explainFleet(of.database, {
    desired: await loadShipped({ load: LOAD }),
    reload: (changes) => loadShipped({ load: { ...LOAD, ...changes } }),
    selection: { schemas, exclude: [], allowEmpty: false, allowAbsent: false },
    probes: ['recall'],
    values: {},
    hypothetical: false,
    analyze: false,
    statementTimeout: DEFAULT_STATEMENT_TIMEOUT,
    progress: NO_PROGRESS,
    ...request,
  });
}

const one = (explanation: Explanation): ProbeResult => {
  const [result, ...more] = explanation.results;
  if (result === undefined || more.length > 0) throw new Error(`${explanation.results.length} results`);
  return result;
};

const text = (explanation: Explanation, hide = true) =>
  explainText(explanation, {
    hide: hide ? new MemberNames(explanation.states) : null,
    color: new Ansis(0),
    width: 120,
  });

const catalogOid = async (index: string) =>
  (await test.query<{ oid: string }>(`SELECT 'acme.${index}'::regclass::oid::text oid`))[0]?.oid;
const WORLD = memberName('worl', 1);

describe('explain on a partition of 20,000 rows', () => {
  it('shows that the planner takes the member, by its oid', async () => {
    const result = one(await explain());
    expect(result).toMatchObject({
      schema: 'acme',
      verdict: 'member',
      ok: true,
      remedy: null,
      partition: { values: { 'bank.bank_id': BIG, 'fact_type.value': 'world' }, chosen: false },
      expected: { name: WORLD, state: 'valid' },
      used: [{ name: WORLD, method: 'hnsw', extension: 'vector', oid: await catalogOid(WORLD) }],
      stale: [],
      unknownSettings: [],
    });
    expect(result.partition?.rows).toEqual({ counted: 10_001, capped: true });
  });

  it('executes nothing unless it is asked to', async () => {
    fleet.forget();
    expect(one(await explain()).plan?.executed).toBeNull();
    const sent = fleet.statements.filter((sql) => sql.includes('ORDER BY embedding'));
    expect(sent.map((sql) => sql.slice(0, 31))).toEqual(['EXPLAIN (VERBOSE, FORMAT JSON) ']);
    expect(one(await explain({ analyze: true })).plan?.executed).toMatchObject({ rows: 100 });
  });

  it('plans with the settings that the probe declares, for it alone', async () => {
    const calls = async (setting: string) => {
      const desired = await loadShipped({ load: LOAD });
      const probes = desired.probes.map((probe) => ({ ...probe, settings: { 'hnsw.ef_search': setting } }));
      return one(await explain({ desired: { ...desired, probes } })).plan?.cost ?? 0;
    };
    expect(await calls('1000')).toBeGreaterThan(2 * (await calls('10')));
  });

  it('takes a small partition that is named, and finds an exact scan fine there', async () => {
    const result = one(await explain({ values: { 'bank.bank_id': SMALL } }));
    expect(result).toMatchObject({
      verdict: 'exact',
      ok: true,
      partition: { values: { 'fact_type.value': 'experience' }, chosen: true, rows: { counted: 500, capped: false } },
      expected: { state: 'valid' },
    });
    expect(result.used.map((index) => index.method)).toEqual(['btree']);
  });

  it('refuses values that no partition has, and names that no probe knows', async () => {
    await expect(explain({ values: { 'bank.bank_id': 'nobody' } })).rejects.toMatchObject({ code: 'USAGE' });
    await expect(explain({ values: { 'bank.id': BIG } })).rejects.toMatchObject({
      code: 'USAGE',
      options: { remedy: expect.stringContaining('bank.bank_id') },
    });
    await expect(explain({ probes: ['recal'] })).rejects.toMatchObject({
      options: { remedy: expect.stringContaining('recall') },
    });
  });

  it('shows that text search takes the declared index', async () => {
    const words = one(await explain({ probes: ['words'], analyze: true }));
    expect(words.plan?.executed?.rows).toBeGreaterThan(0);
    expect(words.query).toContain(`to_tsquery('english', 'topic1 | and | what')`);
    expect(words).toMatchObject({
      verdict: 'index',
      ok: true,
      used: [{ name: 'idx_memory_units_text_search', method: 'gin' }],
    });
  });

  it('hides what comes from rows: names, ids and vectors', async () => {
    const explanation = await explain({ probes: [] });
    const hide = new MemberNames(explanation.states);
    const told = text(explanation) + JSON.stringify(explainDocument(explanation, { hide }));
    expect(told).toContain('idx_mu_emb_worl_…');
    expect(told).not.toMatch(/Greta|11111111|<=>/u);
    const shown = text(explanation, false) + JSON.stringify(explainDocument(explanation, { hide: null }));
    for (const value of ['Greta', WORLD, '<=>']) expect(shown).toContain(value);
  });

  it('works for a role that may only read, and sends nothing that writes', async () => {
    const role = `trueup_${test.name.slice(-16)}`;
    await test.exec(`CREATE ROLE ${role} LOGIN; GRANT USAGE ON SCHEMA acme TO ${role}`);
    const reader = await openFleet(test.urlFor(role));
    try {
      expect(one(await explain({}, ['acme'], reader))).toMatchObject({
        verdict: 'unreadable',
        ok: false,
        reason: expect.stringContaining('permission denied'),
        remedy: expect.stringContaining('--role'),
      });
      await test.exec(`GRANT SELECT ON ALL TABLES IN SCHEMA acme TO ${role}`);
      reader.forget();
      expect(one(await explain({}, ['acme'], reader)).verdict).toBe('member');
      const begun = reader.statements.filter((sql) => sql.startsWith('BEGIN'));
      expect(begun.every((sql) => sql.includes('READ ONLY'))).toBe(true);
      expect(
        reader.statements.filter((sql) => /^\s*(create|drop|alter|lock|insert|update|delete)/iu.test(sql)),
      ).toEqual([]);
    } finally {
      await reader.close();
      await test.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});

describe('explain beside a stale global index', () => {
  beforeAll(() =>
    test.exec(`CREATE INDEX ${GLOBAL} ON acme.memory_units USING hnsw (embedding public.vector_cosine_ops)`),
  );

  it('names it, and plans without it when asked to, in a transaction that is rolled back', async () => {
    const plain = one(await explain());
    expect(plain).toMatchObject({ verdict: 'member', ok: true, stale: [{ name: GLOBAL }], without: null });
    fleet.forget();
    const result = one(await explain({ hypothetical: true }));
    expect(result).toMatchObject({
      verdict: 'member',
      without: { kind: 'planned', indexes: [{ name: GLOBAL }], verdict: 'member', ok: true, used: [{ name: WORLD }] },
    });
    const dropped = fleet.statements.indexOf(`DROP INDEX acme.${GLOBAL}`);
    const ended = fleet.statements.slice(dropped).find((sql) => /^(?:COMMIT|ROLLBACK)/u.test(sql));
    expect([dropped > 0, ended]).toEqual([true, 'ROLLBACK']);
    expect(await catalogOid(GLOBAL)).toBe(result.stale[0]?.oid);
  });

  it('gives up the comparison, and nothing else, while the table is in use', async () => {
    const user = await test.connect();
    await user.query('BEGIN; SELECT FROM acme.memory_units LIMIT 1');
    const started = Date.now();
    const result = one(await explain({ hypothetical: true }));
    await user.query('ROLLBACK');
    expect(result).toMatchObject({
      verdict: 'member',
      without: { kind: 'refused', reason: expect.stringContaining('in use') },
    });
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('tells and fails when the member is gone and the planner takes the global one', async () => {
    await test.exec(`DROP INDEX acme.${WORLD}`);
    const explanation = await explain({ hypothetical: true });
    expect(one(explanation)).toMatchObject({
      verdict: 'global-post-filter',
      ok: false,
      expected: { name: WORLD, state: 'missing', found: null },
      used: [{ name: GLOBAL, oid: await catalogOid(GLOBAL) }],
      remedy: 'build it: trueup apply --schema acme --phase vector',
      without: { kind: 'planned', verdict: 'sequential', ok: false },
    });
    const told = text(explanation);
    expect(told).toContain('FAIL  recall (vector) on acme.memory_units: global-post-filter');
    expect(told).toContain('expected: idx_mu_emb_worl_…, missing');
    expect(told).toMatch(/Explain: 1 probe, 0 ok, 1 failed\.$/u);
  });

  it('fails with a sequential scan when there is neither', async () => {
    await test.exec(`DROP INDEX acme.${GLOBAL}`);
    expect(one(await explain())).toMatchObject({ verdict: 'sequential', ok: false, used: [], stale: [] });
  });
});
