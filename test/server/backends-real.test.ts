import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { applyExitCode, planExitCode } from '../../src/cli/outcome-exit-codes.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { planDocument } from '../../src/report/plan-json.js';
import { TrueupError } from '../../src/trueup-error.js';
import { insertBank, insertMemories, memberName } from '../support/banks.js';
import { changesOf, type FleetOptions, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { startBackendServer } from '../support/postgres/backends.js';
import type { TestServer } from '../support/postgres/server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let server: TestServer;
beforeAll(async () => {
  server = await startBackendServer();
}, 180_000);
afterAll(() => server.remove());

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A database without any extension, and the library on it. */
async function bare(): Promise<{ readonly database: TestDatabase; readonly fleet: FleetUnderTest }> {
  const database = await createTestDatabase({ server });
  open.push({ close: () => database.drop() });
  const fleet = await openFleet(database.url);
  open.push(fleet);
  return { database, fleet };
}

const vector = (name: string): FleetOptions => ({ load: { backends: { vector: name } } });
const text = (name: string, tokenizer?: string): FleetOptions => ({
  load: {
    backends: { 'text-search': name },
    ...(tokenizer === undefined ? {} : { parameters: { pg_search_tokenizer: tokenizer } }),
  },
});

/** `method of extension: keys`, options: of one phase's indexes of t1, by name. */
async function indexesOf(database: TestDatabase, pattern: string): Promise<Record<string, string>> {
  const rows = await database.query<{ name: string; line: string }>(
    `SELECT c.relname::text AS name,
            concat_ws(' ', am.amname || ' of ' || coalesce(e.extname, 'postgresql') || ':',
              (SELECT string_agg(pg_get_indexdef(i.indexrelid, n, true), ', ' ORDER BY n) FROM generate_series(1, i.indnkeyatts) n),
              (SELECT string_agg(DISTINCT o.opcname, ',') FROM unnest(i.indclass) u JOIN pg_opclass o ON o.oid = u),
              array_to_string(c.reloptions, ','), CASE WHEN NOT i.indisvalid THEN 'INVALID' END) AS line
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
       LEFT JOIN pg_depend d ON d.classid = 'pg_am'::regclass AND d.objid = am.oid AND d.deptype = 'e'
       LEFT JOIN pg_extension e ON e.oid = d.refobjid
      WHERE c.relnamespace = 't1'::regnamespace AND c.relname ~ $1 ORDER BY 1`,
    [pattern],
  );
  return Object.fromEntries(rows.map(({ name, line }) => [name, line]));
}

const VECTOR = '^idx_(mu_emb_|memory_units_emb|mental_models_emb)';
const TEXT = '_text_search$';

/** Rows in a bank: its members are built, beside a filled text index, and then nothing is left to do. */
async function fillAndConverge(database: TestDatabase, fleet: FleetUnderTest, options: FleetOptions): Promise<void> {
  expect(changesOf(await fleet.plan(options), 't1')).toEqual([]);
  await database.exec(
    insertBank('t1', 1, 'b1') + insertMemories('t1', 'b1', 12) + insertMemories('t1', 'b1', 3, 'observation'),
  );
  expect((await fleet.apply(options)).summary).toMatchObject({ tenants: 1, converged: 1 });
  fleet.forget();
  expect((await fleet.apply(options)).summary).toMatchObject({ inSync: 1 });
  expect(fleet.statements.filter((sql) => /^\s*(?:CREATE|ALTER|DROP|LOCK)\b/u.test(sql))).toEqual([]);
}

async function refusal(run: Promise<unknown>): Promise<TrueupError> {
  const error = await run.then(
    () => null,
    (cause: unknown) => cause,
  );
  if (error instanceof TrueupError) return error;
  throw error ?? new Error('it was not refused');
}

const onceOf = (plan: FleetPlan) => plan.databases.flatMap((one) => one.databaseChanges);

it.each([
  ['pgvector', 'hnsw of vector: embedding vector_cosine_ops'],
  ['pgvectorscale', 'diskann of vectorscale: embedding vector_cosine_ops num_neighbors=50'],
])(
  'B1: %s converges from an empty tenant, and builds the members of a bank with rows',
  async (backend, line) => {
    const { database, fleet } = await bare();
    await fleet.provision(['t1'], vector(backend));
    expect(await indexesOf(database, VECTOR)).toEqual({ idx_mental_models_embedding: line });
    await fillAndConverge(database, fleet, vector(backend));
    expect(await indexesOf(database, VECTOR)).toEqual({
      idx_mental_models_embedding: line,
      [memberName('expr', 1)]: line,
      [memberName('obsv', 1)]: line,
      [memberName('worl', 1)]: line,
    });
  },
  120_000,
);

it('B2: native converges from an empty tenant', async () => {
  const { database, fleet } = await bare();
  await fleet.provision(['t1'], text('native'));
  expect(await indexesOf(database, TEXT)).toEqual({
    idx_memory_units_text_search: 'gin of postgresql: search_vector tsvector_ops',
    idx_mental_models_text_search: 'gin of postgresql: search_vector tsvector_ops',
  });
  await fillAndConverge(database, fleet, text('native'));
});

it.each([
  [undefined, (column: string) => column],
  ['unicode_words', (column: string) => `(${column}::pdb.unicode_words)`],
  ['NGRAM( 2, 3 )', (column: string) => `(${column}::pdb.ngram('2', '3'))`],
  ['japanese_lindera', (column: string) => `(${column}::pdb.lindera('japanese'))`],
])(
  'B2: pg_search with tokenizer %s converges from an empty tenant, and with rows',
  async (tokenizer, key) => {
    const { database, fleet } = await bare();
    const options = text('pg_search', tokenizer);
    await fleet.provision(['t1'], options);
    const line = (columns: readonly string[]) => `bm25 of pg_search: id, ${columns.map(key).join(', ')}`;
    const found = await indexesOf(database, TEXT);
    expect(found.idx_memory_units_text_search).toContain(line(['text', 'context', 'text_signals']));
    expect(found.idx_mental_models_text_search).toContain(line(['name', 'content']));
    expect(found.idx_memory_units_text_search).toContain('key_field=id');
    await fillAndConverge(database, fleet, options);
  },
  120_000,
);

it('B2: a tokenizer changed in the desired state is drift of both indexes, and no index stands twice on a table', async () => {
  const { database, fleet } = await bare();
  await fleet.provision(['t1'], text('pg_search', 'simple'));
  await database.exec(insertBank('t1', 1, 'b1') + insertMemories('t1', 'b1', 3));
  await fleet.apply(text('pg_search', 'simple'));
  for (const next of ['ngram(2,3)', 'ngram(2,4)', 'lindera(korean)']) {
    const plan = await fleet.plan(text('pg_search', next));
    expect(changesOf(plan, 't1')).toEqual([
      'rebuild-index memory_units.idx_memory_units_text_search pending',
      'rebuild-index mental_models.idx_mental_models_text_search pending',
    ]);
    expect((await fleet.apply(text('pg_search', next))).summary).toMatchObject({ converged: 1 });
    expect(changesOf(await fleet.plan(text('pg_search', next)), 't1')).toEqual([]);
  }
}, 120_000);

it('B2: pg_textsearch that is too old for indexes over expressions is refused before it is created', async () => {
  const { fleet } = await bare();
  const error = await refusal(fleet.plan({ ...text('pg_textsearch'), schemas: ['t1'], createSchema: true }));
  expect(error.code).toBe('EXTENSION_TOO_OLD');
  expect(error.message).toMatch(/pg_textsearch .*0\.6\.1.*1\.1\.0/u);
});

it('B2: pg_textsearch that is installed and too old is refused, with what an administrator must run', async () => {
  const { database, fleet } = await bare();
  await fleet.provision(['t1']);
  await database.exec('CREATE EXTENSION pg_textsearch');
  const error = await refusal(fleet.plan(text('pg_textsearch')));
  expect(error.code).toBe('EXTENSION_TOO_OLD');
  expect(error.options.remedy).toContain('ALTER EXTENSION pg_textsearch UPDATE');
  expect((await fleet.plan(text('native'))).summary).toMatchObject({ inSync: 1 });
});

it('B12: pg_search holds the method that pg_textsearch would bring: blocked by its name, and nothing is done', async () => {
  const { database, fleet } = await bare();
  const running = text('pg_search');
  await fleet.provision(['t1', 't2'], running);
  await database.exec(insertBank('t1', 1, 'b1') + insertMemories('t1', 'b1', 3));
  await fleet.apply(running);
  const before = await indexesOf(database, TEXT);
  const wanted: FleetOptions = { ...text('pg_textsearch'), allow: ['rebuild-index', 'rebuild-column'] };

  const plan = await fleet.plan(wanted);
  const [extension] = onceOf(plan);
  expect([extension?.action, extension?.object, extension?.status]).toEqual([
    'create-extension',
    'pg_textsearch',
    'blocked',
  ]);
  expect(extension?.obstacle).toContain('access method bm25 is held by extension pg_search');
  expect(extension?.remedy).toContain('--backend text-search=pg_search');
  for (const schema of ['t1', 't2']) {
    const items = itemsOf(plan, schema);
    expect(items.length).toBeGreaterThan(0);
    expect(items.map(({ change }) => change.status)).toEqual(items.map(() => 'blocked'));
    expect(items[0]?.change.obstacle).toContain('pg_search');
  }
  expect(plan.summary).toMatchObject({ tenants: 2, blocked: 2, inSync: 0 });
  expect(planExitCode(plan, { detailed: true })).toBe(3);
  expect(planDocument(plan, { showValues: false }).databaseChanges.map(({ status }) => status)).toEqual(['blocked']);

  fleet.forget();
  const outcome = await fleet.apply(wanted);
  expect(outcome.summary).toMatchObject({ tenants: 2, blocked: 2 });
  expect(applyExitCode(outcome)).toBe(3);
  expect(fleet.statements.filter((sql) => /^\s*(?:CREATE|ALTER|DROP|LOCK)\b/u.test(sql))).toEqual([]);
  expect(await indexesOf(database, TEXT)).toEqual(before);
  expect((await fleet.plan(running)).summary).toMatchObject({ inSync: 2 });
}, 120_000);

it('B12: a tenant that is still to be made is not made by half where the method is held', async () => {
  const { database, fleet } = await bare();
  await database.exec('CREATE EXTENSION pg_search; CREATE EXTENSION vector; CREATE EXTENSION pg_trgm');
  const outcome = await fleet.apply({ ...text('pg_textsearch'), schemas: ['t1'], createSchema: true });
  expect(outcome.tenants.map(({ outcome: end }) => end)).toEqual(['blocked']);
  expect(await database.query(`SELECT FROM pg_namespace WHERE nspname = 't1'`)).toEqual([]);
});

it('B12: the holder that no tenant uses blocks as well, and the other backends go on', async () => {
  const { database, fleet } = await bare();
  await fleet.provision(['t1'], text('native'));
  await database.exec('CREATE EXTENSION pg_search; DROP INDEX t1.idx_mental_models_embedding');
  const plan = await fleet.plan(text('pg_textsearch'));
  const items = itemsOf(plan, 't1').map(({ change }) => `${change.phase} ${change.status}`);
  expect(new Set(items)).toEqual(new Set(['vector pending', 'text-search blocked']));
  expect((await fleet.apply(text('pg_textsearch'))).summary).toMatchObject({ partial: 1 });
  expect((await fleet.plan(text('native'))).summary).toMatchObject({ inSync: 1 });
});

it('B2: a tokenizer that the installed pg_search does not have is one error, and no tenant is tried', async () => {
  const { database, fleet } = await bare();
  await fleet.provision(['t1', 't2'], text('native'));
  await database.exec('CREATE EXTENSION pg_search');
  const error = await refusal(fleet.apply(text('pg_search', 'edge_ngram(1, 3)')));
  expect(error.code).toBe('EXTENSION_TOO_OLD');
  expect(error.message).toContain('pdb.edge_ngram');
  expect((await fleet.plan(text('native'))).summary).toMatchObject({ inSync: 2 });
});
