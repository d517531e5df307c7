import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertBank, memberName } from '../support/banks.js';
import { changesOf, itemsOf } from '../support/fleet.js';
import { isDdl, memories, on, openStandIns, type StandInFleet } from '../support/stand-ins/tenants.js';

const METHODS = ['hnsw', 'vchordrq', 'scann', 'diskann'];
const GLOBAL = 'idx_memory_units_embedding';
const MODELS = 'idx_mental_models_embedding';
const members = (number: number) => (['expr', 'obsv', 'worl'] as const).map((code) => memberName(code, number));

let standIns: Awaited<ReturnType<typeof openStandIns>>;
beforeAll(async () => {
  standIns = await openStandIns();
});
afterAll(() => standIns?.close());

const scann = on({ vector: 'scann' });
const allowed = on({ vector: 'scann' }, { allow: ['rebuild-index'] });
const ended = (outcome: { readonly tenants: readonly { schema: string; outcome: string; error: unknown }[] }) =>
  outcome.tenants.map(({ schema, outcome: end, error }) => [schema, end, error]);

describe('rows that scann (stand-in) must have', () => {
  it('G11: 9,999 embeddings defer its index with the count so far; 10,000 have it built', async () => {
    const fleet = await standIns.fleet();
    await fleet.provision(['t1'], scann);
    // Rows without an embedding count for nothing.
    await fleet.exec(memories('t1', 'a', 9_999) + memories('t1', 'a', 5, { embedding: 'NULL' }));
    const before = itemsOf(await fleet.plan(scann), 't1').find(({ change }) => change.object === GLOBAL)?.change;
    expect(before).toMatchObject({
      status: 'deferred',
      obstacle: 'needs 10,000 rows to be built, has 9,999',
    });
    fleet.forget();
    await fleet.apply(scann);
    expect(fleet.statements.filter(isDdl)).toEqual([]);

    await fleet.exec(memories('t1', 'a', 1));
    const after = itemsOf(await fleet.plan(scann), 't1').find(({ change }) => change.object === GLOBAL)?.change;
    expect(after).toMatchObject({ status: 'pending', action: 'create-index', hazards: ['INDEX_BUILD'] });
    expect(ended(await fleet.apply(scann))).toEqual([['t1', 'converged', null]]);
    expect(await fleet.indexes('t1', METHODS)).toEqual({ [GLOBAL]: "scann (embedding cosine) WITH (mode='AUTO')" });
    expect(changesOf(await fleet.plan(scann), 't1')).toEqual([`create-index mental_models.${MODELS} deferred`]);
    // Counted no further than it must be.
    expect(
      fleet.statements.filter((sql) => /count\(\*\)[^,]* from \(select from/u.test(sql) && !/limit 10000\b/u.test(sql)),
    ).toEqual([]);
    // What is built stays when rows go: the limit is one of building.
    await fleet.exec('DELETE FROM t1.memory_units WHERE id IN (SELECT id FROM t1.memory_units LIMIT 5000)');
    expect(changesOf(await fleet.plan(scann), 't1')).toEqual([`create-index mental_models.${MODELS} deferred`]);
  });
});

describe('members that another backend left behind, under scann (stand-in)', () => {
  let fleet: StandInFleet;
  beforeAll(async () => {
    fleet = await standIns.fleet();
    const pgvector = on({ vector: 'pgvector' });
    await fleet.provision(['few', 'many', 'none', 'none2', 'none3'], pgvector);
    for (const [at, schema] of ['few', 'many', 'none', 'none2', 'none3'].entries())
      await fleet.exec(insertBank(schema, at + 1, `bank of ${schema}`));
    await fleet.exec(insertBank('none3', 9, 'a second one'));
    await fleet.apply(pgvector);
    await fleet.exec(memories('few', 'bank of few', 10) + memories('many', 'bank of many', 10_000));
  });

  it('G10: stay, deferred with their reason, while the global index cannot be built', async () => {
    const plan = await fleet.plan({ ...allowed, schemas: ['few'] });
    const found = itemsOf(plan, 'few').map(({ change }) => [change.action, change.status]);
    expect(found.filter(([, status]) => status !== 'deferred')).toEqual([]);
    const drop = itemsOf(plan, 'few').find(({ change }) => change.action === 'drop-index');
    expect(drop?.change.obstacle).toContain(`waits for create-index ${GLOBAL}`);
    expect(drop?.change.obstacle).toContain('has 10');
    const before = await fleet.indexes('few', METHODS);
    fleet.forget();
    await fleet.apply({ ...allowed, schemas: ['few'] });
    expect(fleet.statements.filter(isDdl)).toEqual(['CREATE EXTENSION IF NOT EXISTS alloydb_scann SCHEMA public']);
    expect(await fleet.indexes('few', METHODS)).toEqual(before);
    expect(Object.keys(before)).toEqual([MODELS, ...members(1)]);
  });

  it('G10: stay where the table holds rows and nobody allowed another backend', async () => {
    const plan = await fleet.plan({ ...scann, schemas: ['many'] });
    const global = itemsOf(plan, 'many').find(({ change }) => change.object === GLOBAL)?.change;
    expect(global?.status).toBe('blocked');
    for (const { change } of itemsOf(plan, 'many'))
      expect([change.object, change.status]).toEqual([
        change.object,
        change.table === 'memory_units' ? 'blocked' : expect.stringMatching(/^(?:blocked|deferred)$/u),
      ]);
    expect(ended(await fleet.apply({ ...scann, schemas: ['many'] }))).toEqual([['many', 'blocked', null]]);
  });

  it('G10: are dropped when the global index is built and valid, not before', async () => {
    fleet.forget();
    expect(ended(await fleet.apply({ ...allowed, schemas: ['many'] }))).toEqual([['many', 'converged', null]]);
    const sent = fleet.statements.filter((sql) => /^(?:CREATE|DROP) INDEX/u.test(sql));
    expect(sent[0]).toMatch(new RegExp(`^CREATE INDEX CONCURRENTLY ${GLOBAL} ON many.memory_units USING scann`, 'u'));
    expect(sent.slice(1).every((sql) => sql.startsWith('DROP INDEX CONCURRENTLY many.'))).toBe(true);
    expect(sent).toHaveLength(4);
    expect(await fleet.indexes('many', ['scann'])).toEqual({
      [GLOBAL]: "scann (embedding cosine) WITH (mode='AUTO')",
    });
    // The other table's index stays until its own successor can be built.
    expect(Object.keys(await fleet.indexes('many', ['hnsw']))).toEqual([MODELS]);
    expect(changesOf(await fleet.plan({ ...allowed, schemas: ['many'] }), 'many')).toEqual([
      `rebuild-index mental_models.${MODELS} deferred`,
    ]);
  });

  it('G10: put tenants that differ in nothing else into one drift class, however many members each has', async () => {
    const plan = await fleet.plan({ ...scann, schemas: ['none', 'none2', 'none3'] });
    expect(plan.classes.map((group) => group.tenants.map((tenant) => tenant.schema))).toEqual([
      ['none', 'none2', 'none3'],
    ]);
    const drop = (schema: string) => itemsOf(plan, schema).find(({ change }) => change.action === 'drop-index');
    expect(
      drop('none')
        ?.members?.map((member) => member.index)
        .sort(),
    ).toEqual(members(3));
    expect(
      drop('none3')
        ?.members?.map((member) => member.index)
        .sort(),
    ).toEqual([...members(5), ...members(9)].sort());
    expect(drop('none')?.change).toMatchObject({
      object: `idx_mu_emb_\${fact_type.code}_\${bank.short_id}`,
      family: `idx_mu_emb_\${fact_type.code}_\${bank.short_id}`,
      status: 'deferred',
      hazards: ['INDEX_DROPPED'],
      reason: 'owned by phase vector, absent from the desired state',
    });
  });
});

describe('back from scann (stand-in)', () => {
  it('B5: a member is built and valid before the global index goes', async () => {
    const fleet = await standIns.fleet();
    await fleet.provision(['t1'], scann);
    await fleet.exec(insertBank('t1', 1, 'a') + memories('t1', 'a', 10_000));
    await fleet.apply(scann);
    const pgvector = on({ vector: 'pgvector' }, { allow: ['rebuild-index'] });
    const blocked = await fleet.plan(on({ vector: 'pgvector' }));
    expect([...new Set(itemsOf(blocked, 't1').map(({ change }) => change.status))]).toEqual(['blocked']);
    fleet.forget();
    expect(ended(await fleet.apply(pgvector))).toEqual([['t1', 'converged', null]]);
    const ofMemories = fleet.statements.filter((sql) => /^(?:CREATE|DROP) INDEX.*(?:memory_units)/u.test(sql));
    expect(ofMemories.map((sql) => sql.split(' ')[0])).toEqual(['CREATE', 'CREATE', 'CREATE', 'DROP']);
    expect(ofMemories.at(-1)).toBe(`DROP INDEX CONCURRENTLY t1.${GLOBAL}`);
    expect(Object.keys(await fleet.indexes('t1', METHODS))).toEqual([MODELS, ...members(1)]);
    expect(changesOf(await fleet.plan(pgvector), 't1')).toEqual([]);
  });

  it('C5: pgvector’s limit blocks the switch before the index of scann goes', async () => {
    const fleet = await standIns.fleet();
    const wide = (backend: string) =>
      on({ vector: backend }, { load: { parameters: { embedding_dimension: '3072' } } });
    await fleet.provision(['t1'], wide('scann'));
    const load = { parameters: {} };
    const plan = await fleet.plan(on({ vector: 'pgvector' }, { load }));
    for (const { change } of itemsOf(plan, 't1')) {
      expect(change.status).toBe('blocked');
      expect(change.obstacle).toContain('3072');
    }
    expect(plan.summary.blocked).toBe(1);
  });
});
