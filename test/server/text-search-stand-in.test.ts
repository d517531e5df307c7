import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertBank, memberName } from '../support/banks.js';
import { changesOf, itemsOf } from '../support/fleet.js';
import { isDdl, memories, mentalModel, on, openStandIns, type StandInFleet } from '../support/stand-ins/tenants.js';

const METHODS = ['bm25', 'pgroonga'];
const MEMORIES = 'idx_memory_units_text_search';
const MODELS = 'idx_mental_models_text_search';

let standIns: Awaited<ReturnType<typeof openStandIns>>;
beforeAll(async () => {
  standIns = await openStandIns();
});
afterAll(() => standIns?.close());

const ended = (outcome: { readonly tenants: readonly { schema: string; outcome: string; error: unknown }[] }) =>
  outcome.tenants.map(({ schema, outcome: end, error }) => [schema, end, error]);

const columnTypes = async (fleet: StandInFleet, schema: string) =>
  Object.fromEntries(
    (
      await fleet.query<{ table: string; type: string }>(
        `SELECT c.relname::text "table", format_type(a.atttypid, a.atttypmod) || a.attgenerated::text "type"
           FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND a.attname = 'search_vector' AND NOT a.attisdropped`,
        [schema],
      )
    ).map(({ table, type }) => [table, type]),
  );

describe('a tenant without anything', () => {
  it.each([
    [
      'vchord',
      'bm25_catalog.bm25vector',
      {
        [MEMORIES]: 'bm25 (search_vector bm25_catalog.bm25_ops)',
        [MODELS]: 'bm25 (search_vector bm25_catalog.bm25_ops)',
      },
    ],
    [
      'pgroonga',
      'text',
      {
        [MEMORIES]: `pgroonga ((((((COALESCE(text, '') || ' ') || COALESCE(context, '')) || ' ') || COALESCE(text_signals, '')))) WITH (tokenizer='TokenBigram', normalizer='NormalizerNFKC150')`,
        [MODELS]: `pgroonga (((((COALESCE(name, ''::character varying)) || ' ') || content))) WITH (tokenizer='TokenBigram', normalizer='NormalizerNFKC150')`,
      },
    ],
  ])('B2: gets the columns and indexes of %s (stand-in)', async (backend, type, indexes) => {
    const fleet = await standIns.fleet();
    const options = on({ 'text-search': backend });
    await fleet.provision(['t1', 't2'], options);
    const bare = (text: string) => text.replaceAll(/[()\s]|::[a-z ]+/gu, '');
    const found = await fleet.indexes('t1', METHODS);
    expect(Object.fromEntries(Object.entries(found).map(([name, text]) => [name, bare(text)]))).toEqual(
      Object.fromEntries(Object.entries(indexes).map(([name, text]) => [name, bare(text)])),
    );
    expect(await columnTypes(fleet, 't1')).toMatchObject({ memory_units: type, mental_models: type });
    expect((await fleet.plan(options)).summary).toMatchObject({ tenants: 2, inSync: 2 });

    // Rows, and a bank: its members are all that is to be done.
    await fleet.exec(insertBank('t1', 1, 'a') + memories('t1', 'a', 5) + mentalModel('t1', 'a'));
    expect(
      itemsOf(await fleet.plan(options), 't1').map(({ change, members }) => [change.phase, members?.length]),
    ).toEqual([['vector', 3]]);
    expect(ended(await fleet.apply(options))).toEqual([
      ['t1', 'converged', null],
      ['t2', 'in-sync', null],
    ]);
    expect(Object.keys(await fleet.indexes('t1', ['hnsw']))).toContain(memberName('obsv', 1));
    expect((await fleet.plan(options)).summary).toMatchObject({ tenants: 2, inSync: 2 });
    fleet.forget();
    await fleet.apply(options);
    expect(fleet.statements.filter(isDdl)).toEqual([]);

    // C6, of this backend: rows and a missing index.
    await fleet.exec(`DROP INDEX t1.${MEMORIES}`);
    expect(changesOf(await fleet.plan(options), 't1')).toEqual([`create-index memory_units.${MEMORIES} pending`]);
    await fleet.apply(options);
    expect(await fleet.indexes('t1', METHODS)).toEqual(found);
  });
});

describe('from native to pgroonga (stand-in)', () => {
  const pgroonga = on({ 'text-search': 'pgroonga' });
  const allowColumn = on({ 'text-search': 'pgroonga' }, { allow: ['rebuild-column'] });
  const allowBoth = on({ 'text-search': 'pgroonga' }, { allow: ['rebuild-column', 'rebuild-index'] });
  let fleet: StandInFleet;
  beforeAll(async () => {
    fleet = await standIns.fleet();
    await fleet.provision(['empty', 'models', 'unfilled', 'filled'], on({}));
    for (const schema of ['models', 'unfilled', 'filled']) {
      await fleet.exec(insertBank(schema, 1, 'a') + mentalModel(schema, 'a'));
      await fleet.apply(on({}, { schemas: [schema] }));
    }
    await fleet.exec(memories('unfilled', 'a', 3) + memories('filled', 'a', 3));
    await fleet.exec(`UPDATE filled.memory_units SET search_vector = to_tsvector('english', text)`);
  });
  const whole = async (schema: string) => [
    await fleet.indexes(schema, ['gin', 'pgroonga']),
    await columnTypes(fleet, schema),
  ];

  it('B3: a tenant without rows has its columns and indexes replaced', async () => {
    expect(ended(await fleet.apply({ ...pgroonga, schemas: ['empty'] }))).toEqual([['empty', 'converged', null]]);
    expect(await columnTypes(fleet, 'empty')).toMatchObject({ memory_units: 'text', mental_models: 'text' });
    expect(Object.keys(await fleet.indexes('empty', METHODS))).toEqual([MODELS, MEMORIES].sort());
    expect(changesOf(await fleet.plan({ ...pgroonga, schemas: ['empty'] }), 'empty')).toEqual([]);
  });

  it('B4, B17: populated tables are blocked without an approval, and nothing at all is changed', async () => {
    for (const schema of ['models', 'unfilled', 'filled']) {
      const before = await whole(schema);
      const changes = itemsOf(await fleet.plan({ ...pgroonga, schemas: [schema] }), schema).map(({ change }) => change);
      expect([schema, [...new Set(changes.map((made) => made.status))]]).toEqual([schema, ['blocked']]);
      expect(changes.map((made) => made.remedy).join()).toContain('--allow rebuild-column');
      fleet.forget();
      expect(ended(await fleet.apply({ ...pgroonga, schemas: [schema] }))).toEqual([[schema, 'blocked', null]]);
      expect(fleet.statements.filter(isDdl)).toEqual([]);
      expect(await whole(schema)).toEqual(before);
    }
  });

  it('B17: populated mental_models is converted with --allow rebuild-column: its column is derived', async () => {
    expect(ended(await fleet.apply({ ...allowColumn, schemas: ['models'] }))).toEqual([['models', 'converged', null]]);
    expect(await columnTypes(fleet, 'models')).toMatchObject({ memory_units: 'text', mental_models: 'text' });
    expect(Object.keys(await fleet.indexes('models', METHODS))).toEqual([MODELS, MEMORIES].sort());
    expect(Object.keys(await fleet.indexes('models', ['gin']))).not.toContain(MEMORIES);
    expect(changesOf(await fleet.plan({ ...pgroonga, schemas: ['models'] }), 'models')).toEqual([]);
    expect(await fleet.query('SELECT count(*)::int n FROM models.mental_models')).toEqual([{ n: 1 }]);
  });

  it('B17: memory_units with rows whose column is empty is converted', async () => {
    expect(ended(await fleet.apply({ ...allowBoth, schemas: ['unfilled'] }))).toEqual([
      ['unfilled', 'converged', null],
    ]);
    expect(await columnTypes(fleet, 'unfilled')).toMatchObject({ memory_units: 'text' });
    expect(changesOf(await fleet.plan({ ...pgroonga, schemas: ['unfilled'] }), 'unfilled')).toEqual([]);
    expect(await fleet.query('SELECT count(*)::int n FROM unfilled.memory_units')).toEqual([{ n: 3 }]);
  });

  it('B17: memory_units whose column the application filled blocks the tenant as a whole, whatever is allowed', async () => {
    const before = await whole('filled');
    for (const options of [allowColumn, allowBoth]) {
      const changes = itemsOf(await fleet.plan({ ...options, schemas: ['filled'] }), 'filled').map(
        ({ change }) => change,
      );
      expect([...new Set(changes.map((made) => made.status))]).toEqual(['blocked']);
      const column = changes.find((made) => made.table === 'memory_units' && made.action === 'replace-column');
      expect(column?.obstacle).toContain('memory_units.search_vector holds values, which cannot be computed again');
      expect(column?.remedy).toContain('let the application empty the column');
      fleet.forget();
      expect(ended(await fleet.apply({ ...options, schemas: ['filled'] }))).toEqual([['filled', 'blocked', null]]);
      expect(fleet.statements.filter(isDdl)).toEqual([]);
    }
    expect(await whole('filled')).toEqual(before);
    // The way out that the remedy names.
    await fleet.exec('UPDATE filled.memory_units SET search_vector = NULL');
    expect(ended(await fleet.apply({ ...allowBoth, schemas: ['filled'] }))).toEqual([['filled', 'converged', null]]);
    expect(changesOf(await fleet.plan({ ...pgroonga, schemas: ['filled'] }), 'filled')).toEqual([]);
  });

  it('B16: a run that names no backend does not take the fleet back', async () => {
    await expect(fleet.plan(on({}))).rejects.toMatchObject({
      code: 'BACKEND_NOT_NAMED',
      options: { remedy: expect.stringContaining('--backend text-search=pgroonga') },
    });
  });

  it('B17: and back to native: the generated column gives its values again, the other’s are said to be missing', async () => {
    const native = on(
      { 'text-search': 'native' },
      { schemas: ['unfilled'], allow: ['rebuild-column', 'rebuild-index'] },
    );
    expect(ended(await fleet.apply(native))).toEqual([['unfilled', 'converged', null]]);
    expect(await columnTypes(fleet, 'unfilled')).toMatchObject({
      memory_units: 'tsvector',
      mental_models: 'tsvectors',
    });
    expect(await fleet.query('SELECT search_vector::text v FROM unfilled.mental_models')).toEqual([
      { v: "'content':4 'name':2" },
    ]);
    expect(changesOf(await fleet.plan(native), 'unfilled')).toEqual([]);
  });
});

it('B5: two phases switch in one apply, where their rows allow it: both to vchord (stand-in)', async () => {
  const fleet = await standIns.fleet();
  await fleet.provision(['t1'], on({ 'text-search': 'pgroonga' }));
  await fleet.exec(insertBank('t1', 1, 'a') + mentalModel('t1', 'a'));
  await fleet.apply(on({ 'text-search': 'pgroonga' }));
  const both = on({ 'text-search': 'vchord', vector: 'vchord' }, { allow: ['rebuild-index'] });
  const plan = await fleet.plan(both);
  expect(plan.databases[0]?.databaseChanges.map((made) => made.object).sort()).toEqual([
    'pg_tokenizer',
    'vchord',
    'vchord_bm25',
  ]);
  expect(ended(await fleet.apply(both))).toEqual([['t1', 'converged', null]]);
  expect(await columnTypes(fleet, 't1')).toMatchObject({ memory_units: 'bm25_catalog.bm25vector' });
  expect(Object.keys(await fleet.indexes('t1', ['vchordrq']))).toHaveLength(4);
  expect(await fleet.indexes('t1', ['hnsw', 'pgroonga'])).toEqual({});
  expect(changesOf(await fleet.plan(both), 't1')).toEqual([]);
});

it('says which schemas the application needs on its search_path, until the database has them there (vchord, stand-in)', async () => {
  const fleet = await standIns.fleet();
  const options = on({ 'text-search': 'vchord' });
  await fleet.provision(['t1'], options);
  const told = async () =>
    (await fleet.plan(options)).databases.flatMap((database) =>
      database.diagnostics.filter((one) => one.code === 'SEARCH_PATH_NEEDED'),
    );
  const [warning] = await told();
  expect(warning?.message).toContain('tokenizer_catalog and bm25_catalog');
  expect(warning?.remedy).toContain('SET search_path = "$user", public, tokenizer_catalog, bm25_catalog');
  const [row] = await fleet.query<{ name: string }>('SELECT current_database() "name"');
  await fleet.exec(`ALTER DATABASE ${row?.name} SET search_path = "$user", public, tokenizer_catalog`);
  expect(await told()).toHaveLength(1);
  await fleet.exec(`ALTER DATABASE ${row?.name} SET search_path = "$user", public, bm25_catalog, tokenizer_catalog`);
  expect(await told()).toEqual([]);
});
