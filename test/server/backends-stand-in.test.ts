import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyExitCode, planExitCode } from '../../src/cli/outcome-exit-codes.js';
import { insertBank, memberName } from '../support/banks.js';
import { changesOf, itemsOf } from '../support/fleet.js';
import { isDdl, memories, mentalModel, on, openStandIns, type StandInFleet } from '../support/stand-ins/tenants.js';

const METHODS = ['hnsw', 'vchordrq', 'scann', 'diskann'];
const MODELS = 'idx_mental_models_embedding';
const members = (number: number) => (['expr', 'obsv', 'worl'] as const).map((code) => memberName(code, number));

let standIns: Awaited<ReturnType<typeof openStandIns>>;
beforeAll(async () => {
  standIns = await openStandIns();
});
afterAll(() => standIns?.close());

const outcomes = (outcome: { readonly tenants: readonly { schema: string; outcome: string; error: unknown }[] }) =>
  outcome.tenants.map(({ schema, outcome: end, error }) => [schema, end, error]);

async function expectConverged(fleet: StandInFleet, options: ReturnType<typeof on>): Promise<void> {
  const plan = await fleet.plan(options);
  expect(plan.classes.map((group) => group.changes.map(({ change }) => [change.action, change.object]))).toEqual([]);
  fleet.forget();
  await fleet.apply(options);
  expect(fleet.statements.filter(isDdl)).toEqual([]);
}

describe('a tenant without anything', () => {
  it.each([
    ['vchord', 'vchordrq (embedding vector_cosine_ops)'],
    ['pg_diskann', "diskann (embedding vector_cosine_ops) WITH (max_neighbors='50')"],
  ])('B1: gets the indexes of %s (stand-in), and its banks their members', async (backend, definition) => {
    const fleet = await standIns.fleet();
    const options = on({ vector: backend });
    await fleet.provision(['t1', 't2'], options);
    expect(await fleet.indexes('t1', METHODS)).toEqual({ [MODELS]: definition });
    await expectConverged(fleet, options);

    await fleet.exec(insertBank('t1', 1, "o'brien") + memories('t1', "o''brien", 5));
    const plan = await fleet.plan(options);
    expect(changesOf(plan, 't2')).toEqual([]);
    expect(itemsOf(plan, 't1').map(({ change, members: of }) => [change.action, change.status, of?.length])).toEqual([
      ['create-index', 'pending', 3],
    ]);
    expect(outcomes(await fleet.apply(options))).toContainEqual(['t1', 'converged', null]);
    const found = await fleet.indexes('t1', METHODS);
    expect(Object.keys(found)).toEqual([MODELS, ...members(1)]);
    expect(found[memberName('worl', 1)]).toBe(`${definition} WHERE ((fact_type = 'world') AND (bank_id = 'o''brien'))`);
    await expectConverged(fleet, options);
  });

  it('B1: has its indexes of scann (stand-in) put off until there are embeddings, and is in sync meanwhile', async () => {
    const fleet = await standIns.fleet();
    const options = on({ vector: 'scann' });
    const made = await fleet.apply({ ...options, schemas: ['t1'], createSchema: true });
    expect(outcomes(made)).toEqual([['t1', 'converged', null]]);
    expect(await fleet.indexes('t1', METHODS)).toEqual({});
    const plan = await fleet.plan(options);
    expect(plan.summary).toMatchObject({ tenants: 1, inSync: 1, drifted: 0, blocked: 0, deferred: 1 });
    expect(itemsOf(plan, 't1').map(({ change }) => [change.object, change.status, change.obstacle])).toEqual([
      ['idx_memory_units_embedding', 'deferred', 'needs 10,000 rows to be built, has 0'],
      [MODELS, 'deferred', 'needs 10,000 rows to be built, has 0'],
    ]);
    expect(planExitCode(plan, { detailed: true })).toBe(0);
    fleet.forget();
    expect((await fleet.apply(options)).summary).toMatchObject({ failed: 0 });
    expect(fleet.statements.filter(isDdl)).toEqual([]);
  });
});

describe('a fleet of pgvector that is to run vchord (stand-in)', () => {
  let fleet: StandInFleet;
  const options = on({ vector: 'vchord' });
  const allowed = on({ vector: 'vchord' }, { allow: ['rebuild-index'] });
  beforeAll(async () => {
    fleet = await standIns.fleet();
    await fleet.provision(['empty', 'held', 'models'], on({ vector: 'pgvector' }));
    for (const schema of ['empty', 'held', 'models']) await fleet.exec(insertBank(schema, 1, 'a'));
    await fleet.apply(on({ vector: 'pgvector' }));
    await fleet.exec(memories('held', 'a', 20) + memories('held', 'a', 20, { fact: 'experience' }));
    await fleet.exec(mentalModel('models', 'a'));
  });

  it('B3: has every vector index of a tenant without rows replaced', async () => {
    const plan = await fleet.plan({ ...options, schemas: ['empty'] });
    expect(plan.databases[0]?.databaseChanges.map((made) => made.object)).toEqual(['vchord']);
    expect(itemsOf(plan, 'empty').map(({ change, members: of }) => [change.action, change.status, of?.length])).toEqual(
      [
        ['rebuild-index', 'pending', undefined],
        ['rebuild-index', 'pending', 3],
      ],
    );
    expect(outcomes(await fleet.apply({ ...options, schemas: ['empty'] }))).toEqual([['empty', 'converged', null]]);
    const found = await fleet.indexes('empty', METHODS);
    expect(Object.keys(found)).toEqual([MODELS, ...members(1)]);
    expect(Object.values(found).filter((definition) => !definition.startsWith('vchordrq ('))).toEqual([]);
    await expectConverged(fleet, { ...options, schemas: ['empty'] });
  });

  it('B4: has nothing changed in tenants with rows, which are blocked by name with the ways out', async () => {
    const before = [await fleet.indexes('held', METHODS), await fleet.indexes('models', METHODS)];
    const plan = await fleet.plan(options);
    expect(plan.summary).toMatchObject({ tenants: 3, inSync: 1, drifted: 2, blocked: 2 });
    for (const [schema, table] of [
      ['held', 'memory_units'],
      ['models', 'mental_models'],
    ] as const) {
      const changes = itemsOf(plan, schema).map(({ change }) => change);
      expect(changes.map((made) => [made.table, made.status])).toEqual([
        ['mental_models', 'blocked'],
        ['memory_units', 'blocked'],
      ]);
      // The table that holds rows is named by both: the other goes along with it.
      for (const made of changes) {
        expect(made.obstacle).toContain(`table ${table} holds rows, and the index is of extension vector`);
        expect(made.remedy).toContain('--allow rebuild-index');
        expect(made.remedy).toContain('--backend vector=');
      }
    }
    expect(planExitCode(plan, { detailed: true })).toBe(3);
    expect(planExitCode(plan, { detailed: false })).toBe(0);

    fleet.forget();
    const outcome = await fleet.apply(options);
    expect(outcomes(outcome)).toEqual([
      ['empty', 'in-sync', null],
      ['held', 'blocked', null],
      ['models', 'blocked', null],
    ]);
    expect(applyExitCode(outcome)).toBe(3);
    expect(fleet.statements.filter(isDdl)).toEqual([]);
    expect([await fleet.indexes('held', METHODS), await fleet.indexes('models', METHODS)]).toEqual(before);
  });

  it('B4: builds a new bank’s members nowhere between two backends', async () => {
    await fleet.exec(insertBank('held', 2, 'b'));
    const plan = await fleet.plan(options);
    expect([...new Set(itemsOf(plan, 'held').map(({ change }) => change.status))]).toEqual(['blocked']);
    expect(itemsOf(plan, 'held').filter(({ change }) => change.action === 'create-index')).toHaveLength(1);
    expect(outcomes(await fleet.apply({ ...options, schemas: ['held'] }))).toEqual([['held', 'blocked', null]]);
    await fleet.exec(`DELETE FROM held.banks WHERE bank_id = 'b'`);
  });

  it('B5: builds each new index, valid, before the one that it replaces goes, when that is allowed', async () => {
    fleet.forget();
    const outcome = await fleet.apply({ ...allowed, schemas: ['held'] });
    expect(outcomes(outcome)).toEqual([['held', 'converged', null]]);
    const sent = fleet.statements.filter((sql) => /^(?:CREATE|DROP) INDEX|^ALTER INDEX/u.test(sql));
    // Members of a populated table: built, swapped by two renames, dropped, one after the other.
    const ofMembers = sent.filter((sql) => /memory_units|idx_mu_emb|trueup_/u.test(sql) && !sql.includes(MODELS));
    expect(ofMembers.filter((sql) => sql.startsWith('CREATE INDEX CONCURRENTLY trueup_'))).toHaveLength(3);
    expect(ofMembers.filter((sql) => sql.startsWith('CREATE INDEX CONCURRENTLY idx_'))).toEqual([]);
    for (const name of members(1)) {
      const swap = sent.findIndex((sql) => sql.startsWith('ALTER INDEX') && sql.endsWith(`RENAME TO ${name}`));
      const [, temporary] = /(trueup_[0-9a-f]{16})/u.exec(sent[swap] ?? '') ?? [];
      const built = sent.findIndex((sql) => sql.startsWith(`CREATE INDEX CONCURRENTLY ${temporary}`));
      const away = sent.findIndex((sql) => sql.startsWith('ALTER INDEX') && sql.includes(`.${name} RENAME TO`));
      const [, old] = /RENAME TO (trueup_[0-9a-f]{16})/u.exec(sent[away] ?? '') ?? [];
      const dropped = sent.indexOf(`DROP INDEX CONCURRENTLY held.${old}`);
      expect([built, away, swap, dropped].every((at) => at >= 0)).toBe(true);
      expect(built).toBeLessThan(away);
      expect(away).toBeLessThan(swap);
      expect(swap).toBeLessThan(dropped);
    }
    expect(Object.keys(await fleet.indexes('held', ['vchordrq']))).toEqual([MODELS, ...members(1)]);
    expect(await fleet.indexes('held', ['hnsw'])).toEqual({});
    await expectConverged(fleet, { ...options, schemas: ['held'] });
  });

  it('B16: is not taken back to the default’s backend by a run that names none', async () => {
    await expect(fleet.plan(on({}))).rejects.toMatchObject({
      code: 'BACKEND_NOT_NAMED',
      message: expect.stringContaining('vchord'),
      options: { remedy: expect.stringContaining('--backend vector=vchord') },
    });
  });

  it('B5: finishes a switch that stopped halfway, with the index that is built already adopted', async () => {
    const [worl] = [memberName('worl', 1)];
    // As an apply leaves it that was killed between the build and the swap.
    const plan = itemsOf(await fleet.plan({ ...allowed, schemas: ['models'] }), 'models');
    const member = plan.flatMap(({ members: of }) => of ?? []).find((one) => one.index === worl);
    await fleet.exec(`CREATE INDEX ${member?.temporary_new} ON models.memory_units USING vchordrq (embedding vector_cosine_ops)
      WHERE fact_type = 'world' AND bank_id = 'a'`);
    fleet.forget();
    expect(outcomes(await fleet.apply({ ...allowed, schemas: ['models'] }))).toEqual([['models', 'converged', null]]);
    const builds = fleet.statements.filter((sql) => /^CREATE INDEX.* ON models\.memory_units/u.test(sql));
    expect(builds.filter((sql) => sql.includes("'world'"))).toEqual([]);
    expect(builds).toHaveLength(2);
    expect(Object.keys(await fleet.indexes('models', METHODS))).toEqual([MODELS, ...members(1)]);
    expect(await fleet.indexes('models', ['hnsw'])).toEqual({});
    await expectConverged(fleet, options);
  });
});

it('B6: pgvectorscale resolves to pg_diskann (stand-in) where only that is installed, and it is said', async () => {
  const fleet = await standIns.fleet(['pg_diskann']);
  const options = on({ vector: 'pgvectorscale' });
  await fleet.provision(['t1'], options);
  await fleet.exec(insertBank('t1', 1, 'a') + memories('t1', 'a', 3));
  const plan = await fleet.plan(options);
  const [note, ...more] = plan.databases[0]?.diagnostics ?? [];
  expect(more).toEqual([]);
  expect(note).toMatchObject({ severity: 'note', code: 'BACKEND_RESOLVED' });
  expect(note?.message).toMatch(/pgvectorscale.*pg_diskann.*installed/u);
  await fleet.apply(options);
  const found = Object.values(await fleet.indexes('t1', METHODS));
  expect(found).toHaveLength(4);
  for (const definition of found)
    expect(definition).toMatch(/^diskann \(embedding vector_cosine_ops\) WITH \(max_neighbors='50'\)/u);
  expect(fleet.statements.filter((sql) => sql.includes('num_neighbors'))).toEqual([]);
  await expectConverged(fleet, options);
  await expectConverged(fleet, on({ vector: 'pg_diskann' }));
});

it('B13: an option of pg_diskann (stand-in) that differs is drift, and one typed otherwise is none', async () => {
  const fleet = await standIns.fleet();
  const options = on({ vector: 'pg_diskann' });
  await fleet.provision(['other', 'typed', 'unset'], options);
  const remake = (schema: string, using: string) =>
    fleet.exec(
      `DROP INDEX ${schema}.${MODELS}; CREATE INDEX ${MODELS} ON ${schema}.mental_models USING diskann (embedding vector_cosine_ops) ${using}`,
    );
  await remake('other', 'WITH (max_neighbors = 32)');
  await remake('typed', 'WITH (max_neighbors = 050)');
  await remake('unset', '');
  const plan = await fleet.plan(options);
  const found = (schema: string) => itemsOf(plan, schema).map(({ change }) => [change.action, change.reason]);
  expect(found('typed')).toEqual([]);
  const reason = 'option max_neighbors is 32, declared 50';
  expect(found('other')).toEqual([['rebuild-index', reason]]);
  expect(found('unset')).toEqual([['rebuild-index', reason]]);
  await fleet.apply(options);
  await expectConverged(fleet, options);
});

it.each([
  ['vchord', 'vchordrq (embedding vector_cosine_ops)'],
  ['pg_diskann', "diskann (embedding vector_cosine_ops) WITH (max_neighbors='50')"],
])(
  'B10: the operator class of %s (stand-in) is its own, where vector’s class of that name lives in another schema',
  async (backend, definition) => {
    const fleet = await standIns.fleet();
    await fleet.exec('CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions; CREATE SCHEMA other');
    await fleet.exec(`CREATE EXTENSION ${backend} SCHEMA other`);
    const options = on({ vector: backend });
    await fleet.provision(['t1'], options);
    const bare = async () =>
      Object.values(await fleet.indexes('t1', METHODS)).map((found) =>
        found.replaceAll(/\b(?:extensions|other)\./gu, ''),
      );
    expect(await bare()).toEqual([definition]);
    await expectConverged(fleet, options);
    // And the other way round: pgvector's, where the other extension is installed as well.
    const pgvector = on({ vector: 'pgvector' });
    expect(outcomes(await fleet.apply(pgvector))).toEqual([['t1', 'converged', null]]);
    expect(await bare()).toEqual(['hnsw (embedding vector_cosine_ops)']);
    await expectConverged(fleet, pgvector);
  },
);
