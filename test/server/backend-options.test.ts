import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createMember, familyChanges, insertBank, insertMemories, memberName } from '../support/banks.js';
import { type FleetOptions, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { startBackendServer } from '../support/postgres/backends.js';
import type { TestServer } from '../support/postgres/server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const SCALE: FleetOptions = { load: { backends: { vector: 'pgvectorscale' } } };
const SEARCH: FleetOptions = { load: { backends: { 'text-search': 'pg_search' } } };

let server: TestServer;
let database: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  server = await startBackendServer();
}, 180_000);
afterAll(() => server.remove());

/** A tenant with a bank and rows, its members built. */
async function tenant(options: FleetOptions): Promise<void> {
  await fleet.provision(['t1'], options);
  await database.exec(insertBank('t1', 1, 'b1') + insertMemories('t1', 'b1', 5));
  expect((await fleet.apply(options)).summary).toMatchObject({ converged: 1 });
}

beforeEach(async () => {
  database = await createTestDatabase({ server });
  fleet = await openFleet(database.url);
  return async () => {
    await fleet.close();
    await database.drop();
  };
});

/** Makes an index anew with other options, and gives what a plan says of that. */
async function saidOf(index: string, create: string, options: FleetOptions): Promise<readonly string[]> {
  await database.exec(`DROP INDEX t1.${index}; ${create}`);
  const plan = await fleet.plan(options);
  return itemsOf(plan, 't1').map(({ change }) => `${change.action} ${change.object}: ${change.reason}`);
}

it('B13: an option of diskann at its default, given or not, is none; any other value is drift', async () => {
  await tenant(SCALE);
  const index = 'idx_mental_models_embedding';
  const create = (options: string) =>
    `CREATE INDEX ${index} ON t1.mental_models USING diskann (embedding) ${options === '' ? '' : `WITH (${options})`}`;
  for (const none of [
    '',
    'num_neighbors = 50',
    "num_neighbors = '050', max_alpha = 1.20",
    'storage_layout = memory_optimized, search_list_size = 100, max_alpha = 1.2, num_dimensions = 0',
    'num_bits_per_dimension = 0',
  ])
    expect([none, await saidOf(index, create(none), SCALE)]).toEqual([none, []]);
  for (const [given, reason] of [
    ['num_neighbors = 64', 'option num_neighbors is 64, declared 50'],
    ['storage_layout = plain', 'option storage_layout is plain, declared memory_optimized'],
    ['max_alpha = 1.5', 'option max_alpha is 1.5, declared 1.2'],
    ['num_dimensions = 128', 'option num_dimensions is 128, declared 0'],
    ['num_bits_per_dimension = 2', 'option num_bits_per_dimension is 2, declared 0'],
  ] as const)
    expect(await saidOf(index, create(given), SCALE)).toEqual([`rebuild-index ${index}: ${reason}`]);
  expect((await fleet.apply(SCALE)).summary).toMatchObject({ converged: 1 });
  expect((await fleet.plan(SCALE)).summary).toMatchObject({ inSync: 1 });
});

it('B13: a member whose num_neighbors was changed by ALTER INDEX is rebuilt, online, beside the others', async () => {
  await tenant(SCALE);
  await database.exec(`ALTER INDEX t1.${memberName('worl', 1)} SET (num_neighbors = 20)`);
  const plan = await fleet.plan(SCALE);
  expect(familyChanges(plan, 't1')).toEqual([
    { action: 'rebuild-index', reason: 'option num_neighbors is 20, declared 50', members: [memberName('worl', 1)] },
  ]);
  fleet.forget();
  expect((await fleet.apply(SCALE)).summary).toMatchObject({ converged: 1 });
  const made = fleet.statements.filter((sql) => /^(?:CREATE|DROP) INDEX/u.test(sql));
  expect(made.map((sql) => sql.replace(/INDEX CONCURRENTLY.*/u, 'INDEX CONCURRENTLY'))).toEqual([
    'CREATE INDEX CONCURRENTLY',
    'DROP INDEX CONCURRENTLY',
  ]);
  expect((await fleet.plan(SCALE)).summary).toMatchObject({ inSync: 1 });
});

it('B13: an option of hnsw at its default, given or not, is none; any other value is drift', async () => {
  await tenant({});
  const index = memberName('worl', 1);
  const create = (options: string) => createMember('t1', 1, 'b1', 'worl', { with: `WITH (${options})` });
  for (const none of ['m = 16', "ef_construction = '064'", 'm = 16, ef_construction = 64'])
    expect([none, await saidOf(index, create(none), {})]).toEqual([none, []]);
  for (const [given, reason] of [
    ['m = 24', 'option m is 24, declared 16'],
    ['m = 16, ef_construction = 128', 'option ef_construction is 128, declared 64'],
  ] as const)
    expect((await saidOf(index, create(given), {})).map((line) => line.replace(/.*: /u, ''))).toEqual([reason]);
});

it('B1: an index of diskann with another operator class is drift', async () => {
  await tenant(SCALE);
  const index = 'idx_mental_models_embedding';
  const l2 = `CREATE INDEX ${index} ON t1.mental_models USING diskann (embedding vector_l2_ops) WITH (num_neighbors = 50)`;
  expect(await saidOf(index, l2, SCALE)).toEqual([
    `rebuild-index ${index}: operator class is public.vector_l2_ops, declared public.vector_cosine_ops`,
  ]);
});

it('B13: pg_search over other fields, or with a key field of its own, is drift', async () => {
  await tenant(SEARCH);
  const index = 'idx_memory_units_text_search';
  const create = (columns: string, key: string, more = '') =>
    `CREATE INDEX ${index} ON t1.memory_units USING bm25 (${columns}) WITH (key_field = ${key}${more})`;
  const all = 'id, text, context, text_signals';
  expect(await saidOf(index, create(all, "'id'"), SEARCH)).toEqual([]);
  expect(await saidOf(index, create('id, text, context', 'id'), SEARCH)).toEqual([
    `rebuild-index ${index}: has 3 keys, declared 4`,
  ]);
  expect(await saidOf(index, create('id, context, text, text_signals', 'id'), SEARCH)).toEqual([
    `rebuild-index ${index}: key 2: key is context, declared text`,
  ]);
  expect(await saidOf(index, create(all, 'id', ', target_segment_count = 3'), SEARCH)).toEqual([
    `rebuild-index ${index}: option target_segment_count is 3, declared not set`,
  ]);
  expect(await saidOf(index, create('id, (text::pdb.simple), context, text_signals', 'id'), SEARCH)).toEqual([
    expect.stringContaining('key 2: key is (') as string,
  ]);
  fleet.forget();
  expect((await fleet.apply(SEARCH)).summary).toMatchObject({ converged: 1 });
  expect((await fleet.plan(SEARCH)).summary).toMatchObject({ inSync: 1 });
});

it('B2: a key field that nothing makes unique is a warning and a hazard, where its index is built', async () => {
  const plan = await fleet.plan({ ...SEARCH, schemas: ['t1'], createSchema: true });
  const doubtful = itemsOf(plan, 't1').filter(({ change }) => change.hazards.includes('KEY_NOT_UNIQUE'));
  expect(doubtful.map(({ change }) => change.object)).toEqual(['idx_mental_models_text_search']);
  const said = (of: typeof plan) => of.databases.flatMap((one) => one.diagnostics.map(({ code }) => code));
  expect(said(plan)).toEqual(['KEY_NOT_UNIQUE']);
  await fleet.provision(['t1'], SEARCH);
  expect(said(await fleet.plan(SEARCH))).toEqual([]);
});

it('B2: an index of pg_search under another name is renamed, or goes first, since a table has one of the method', async () => {
  await tenant(SEARCH);
  const name = 'idx_memory_units_text_search';
  const other = (columns: string) =>
    `DROP INDEX t1.${name}; CREATE INDEX mine ON t1.memory_units USING bm25 (${columns}) WITH (key_field = id)`;
  const settled = async (change: string) => {
    const plan = await fleet.plan(SEARCH);
    expect(
      itemsOf(plan, 't1').map((item) => `${item.change.action} ${item.change.object} ${item.change.status}`),
    ).toEqual([change]);
    fleet.forget();
    expect((await fleet.apply(SEARCH)).summary).toMatchObject({ converged: 1 });
    expect((await fleet.plan(SEARCH)).summary).toMatchObject({ inSync: 1 });
    return fleet.statements.filter((sql) => /^(?:CREATE|DROP|ALTER) INDEX/u.test(sql)).map((sql) => sql.split(' ')[0]);
  };
  await database.exec(`ALTER INDEX t1.${name} RENAME TO mine`);
  expect(await settled(`rename-index ${name} pending`)).toEqual(['ALTER']);
  await database.exec(other('id, text'));
  expect(await settled(`create-index ${name} pending`)).toEqual(['DROP', 'CREATE']);
  await database.exec(`DELETE FROM t1.memory_units; ${other('id, text')}`);
  expect(await settled(`create-index ${name} pending`)).toEqual(['DROP', 'CREATE']);
  await database.exec(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't1.${name}'::regclass`);
  expect(await settled(`rebuild-index ${name} pending`)).toEqual(['DROP', 'CREATE']);

  // No phase owns an index over other columns as well: nothing may drop it.
  await database.exec(other('id, text, fact_type'));
  const [item] = itemsOf(await fleet.plan(SEARCH), 't1');
  expect([item?.change.action, item?.change.status]).toEqual(['create-index', 'blocked']);
  expect(item?.change.obstacle).toContain('"mine"');
  expect((await fleet.apply(SEARCH)).summary).toMatchObject({ blocked: 1 });
});
