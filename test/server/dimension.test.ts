import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertBank, insertMemories } from '../support/banks.js';
import { changesOf, type FleetOptions, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['one', 'two']);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const only = (schema: string, options: FleetOptions = {}): FleetOptions => ({ schemas: [schema], ...options });
const dimension = (width: number) => ({ load: { parameters: { embedding_dimension: String(width) } } });
const changed = (statements: readonly string[]) =>
  statements.filter((sql) => /^\s*(create|alter|drop|update|insert)\b/iu.test(sql));

const widths = (schema: string) =>
  test.query<{ table: string; type: string }>(
    `select c.relname "table", format_type(a.atttypid, a.atttypmod) "type" from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = $1::regnamespace and a.attname = 'embedding' and c.relkind = 'r' order by 1`,
    [schema],
  );
const vectorIndexes = async (schema: string) =>
  (
    await test.query<{ name: string }>(
      `select c.relname "name" from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
        where c.relnamespace = $1::regnamespace and a.amname = 'hnsw' and i.indisvalid order by 1`,
      [schema],
    )
  ).map((row) => row.name);

const MODEL = (schema: string) =>
  `INSERT INTO ${schema}.mental_models (bank_id, id, name, source_query, content) VALUES ('b', 'm1', 'Lisbon', 'q', 'a city by the sea');`;

describe('the embedding dimension', () => {
  it('C13: without a value given, a tenant of another width is in sync', async () => {
    await fleet.provision(['wide'], dimension(1536));
    fleet.forget();
    expect((await fleet.plan()).summary).toMatchObject({ tenants: 3, inSync: 3 });
    expect(changed(fleet.statements)).toEqual([]);
  });

  it('C13: a column that is missing takes the width that the tenant’s other columns have', async () => {
    await test.exec('ALTER TABLE wide.mental_models DROP COLUMN embedding');
    expect((await fleet.apply(only('wide'))).summary).toMatchObject({ converged: 1 });
    expect(new Set((await widths('wide')).map((row) => row.type))).toEqual(new Set(['vector(1536)']));
  });

  it('C5: a width that the backend cannot index is refused before anything, and nothing is dropped', async () => {
    fleet.forget();
    const before = await vectorIndexes('one');
    const refused = await fleet.plan(only('one', dimension(3072))).then(
      (plan) => itemsOf(plan, 'one').map(({ change }) => change),
      (error: Error & { code: string; options: { remedy?: string } }) => error,
    );
    if (Array.isArray(refused)) expect(refused.filter((change) => change.status === 'pending')).toEqual([]);
    else {
      expect(refused).toMatchObject({ code: 'LIMIT_EXCEEDED', message: expect.stringMatching(/3,?072/u) });
      expect(refused.options.remedy).toMatch(/vchord|scann|pgvectorscale/u);
    }
    await fleet.apply(only('one', dimension(3072))).catch(() => {});
    expect(changed(fleet.statements)).toEqual([]);
    expect(await vectorIndexes('one')).toEqual(before);
  });

  it('C5: a tenant that has such a column keeps it, and its missing index is blocked, not tried', async () => {
    await test.exec('DROP INDEX two.idx_mental_models_embedding; ALTER TABLE two.mental_models DROP COLUMN embedding');
    await test.exec('ALTER TABLE two.mental_models ADD COLUMN embedding public.vector(3072)');
    const plan = await fleet.plan(only('two'));
    expect(changesOf(plan, 'two')).toEqual(['create-index mental_models.idx_mental_models_embedding blocked']);
    const [item] = itemsOf(plan, 'two');
    expect(item?.change.obstacle).toMatch(/3072.*pgvector/u);
    expect((await fleet.apply(only('two'))).summary).toMatchObject({ blocked: 1 });
    await test.exec('DROP SCHEMA two CASCADE');
    await fleet.provision(['two']);
  });

  it('C2: rows without an embedding: the columns are dropped and added, and their indexes are back afterwards', async () => {
    await test.exec(insertBank('one', 1, 'b') + MODEL('one'));
    await test.exec(`INSERT INTO one.memory_units (bank_id, text) SELECT 'b', 'm' || n FROM generate_series(1, 20) n`);
    await fleet.apply(only('one'));
    const before = await vectorIndexes('one');
    expect(before).toHaveLength(4);
    const plan = await fleet.plan(only('one', dimension(768)));
    expect(changesOf(plan, 'one').filter((line) => line.startsWith('replace-column'))).toEqual([
      'replace-column memory_units.embedding pending',
      'replace-column mental_models.embedding pending',
    ]);
    expect(plan.summary).toMatchObject({ blocked: 0, drifted: 1 });
    expect((await fleet.apply(only('one', dimension(768)))).summary).toMatchObject({ converged: 1 });
    expect((await widths('one')).map((row) => row.type)).toEqual(['vector(768)', 'vector(768)']);
    expect(await vectorIndexes('one')).toEqual(before);
    fleet.forget();
    expect((await fleet.apply(only('one', dimension(768)))).summary).toMatchObject({ inSync: 1 });
    expect(changed(fleet.statements)).toEqual([]);
    expect(await test.query('select count(*)::int n from one.memory_units')).toEqual([{ n: 20 }]);
  });

  it('C3: embeddings that exist block it, by table and evidence, and nothing is dropped', async () => {
    await test.exec(insertBank('two', 1, 'b') + MODEL('two') + insertMemories('two', 'b', 5));
    await test.exec(`UPDATE two.mental_models SET embedding = (SELECT embedding FROM two.memory_units LIMIT 1)`);
    await fleet.apply(only('two'));
    const before = await vectorIndexes('two');
    const plan = await fleet.plan(only('two', dimension(768)));
    const changes = itemsOf(plan, 'two').map(({ change }) => change);
    expect(changes.map((change) => [change.action, change.table, change.status])).toEqual([
      ['replace-column', 'memory_units', 'blocked'],
      ['replace-column', 'mental_models', 'blocked'],
    ]);
    expect(changes[0]?.obstacle).toMatch(/memory_units.embedding holds values/u);
    expect(changes[0]?.remedy).toMatch(/embedding_dimension/u);
    fleet.forget();
    expect(
      (await fleet.apply(only('two', { ...dimension(768), allow: ['rebuild-index', 'rebuild-column'] }))).summary,
    ).toMatchObject({ blocked: 1 });
    expect(changed(fleet.statements)).toEqual([]);
    expect(await vectorIndexes('two')).toEqual(before);
  });

  it('C4: one table empty, the other with embeddings: the tenant is blocked as a whole', async () => {
    await test.exec('DELETE FROM two.mental_models');
    const plan = await fleet.plan(only('two', dimension(768)));
    expect(changesOf(plan, 'two')).toEqual([
      'replace-column memory_units.embedding blocked',
      'replace-column mental_models.embedding blocked',
    ]);
    fleet.forget();
    await fleet.apply(only('two', dimension(768)));
    expect(changed(fleet.statements)).toEqual([]);
  });
});

describe('text search on a tenant that holds rows', () => {
  it('C6: a missing index on the right column is built, and nobody is told to delete anything', async () => {
    await test.exec('DROP INDEX two.idx_memory_units_text_search');
    const [item] = itemsOf(await fleet.plan(only('two')), 'two');
    expect(item?.change).toMatchObject({
      action: 'create-index',
      status: 'pending',
      hazards: ['INDEX_BUILD'],
      remedy: null,
    });
    expect((await fleet.apply(only('two'))).summary).toMatchObject({ converged: 1 });
    expect((await fleet.plan(only('two'))).summary).toMatchObject({ inSync: 1 });
  });

  it('C7: a missing column that the application fills is added with the missing values as a hazard; a generated one fills itself', async () => {
    await test.exec(
      `ALTER TABLE two.memory_units DROP COLUMN search_vector; ALTER TABLE two.mental_models DROP COLUMN search_vector; ${MODEL('two')}`,
    );
    const changes = itemsOf(await fleet.plan(only('two')), 'two').map(({ change }) => change);
    const hazards = (table: string) =>
      changes.find((change) => change.action === 'add-column' && change.table === table)?.hazards;
    expect(hazards('memory_units')).toEqual(['VALUES_MISSING']);
    expect(hazards('mental_models')).toEqual(['TABLE_REWRITE']);
    expect((await fleet.apply(only('two'))).summary).toMatchObject({ converged: 1 });
    expect(await test.query('select search_vector is not null filled from two.mental_models')).toEqual([
      { filled: true },
    ]);
  });

  it('C8: a plain column where a generated one is declared is blocked while it is filled, done with --allow rebuild-column', async () => {
    await test.exec(`DROP INDEX two.idx_mental_models_text_search; ALTER TABLE two.mental_models DROP COLUMN search_vector;
      ALTER TABLE two.mental_models ADD COLUMN search_vector tsvector; UPDATE two.mental_models SET search_vector = to_tsvector('x')`);
    const replaced = 'replace-column mental_models.search_vector';
    const plan = await fleet.plan(only('two'));
    expect(changesOf(plan, 'two')).toContain(`${replaced} blocked`);
    const blocked = itemsOf(plan, 'two').find(({ change }) => change.action === 'replace-column')?.change;
    expect(blocked?.remedy).toMatch(/--allow rebuild-column/u);
    const allow = ['rebuild-column'] as const;
    expect(changesOf(await fleet.plan(only('two', { allow })), 'two')).toContain(`${replaced} pending`);
    expect((await fleet.apply(only('two', { allow }))).summary).toMatchObject({ converged: 1 });
    expect(
      await test.query(`select search_vector @@ to_tsquery('english', 'city') found from two.mental_models`),
    ).toEqual([{ found: true }]);
    expect((await fleet.plan(only('two'))).summary).toMatchObject({ inSync: 1 });
  });
});

describe('what is not declared, and other releases', () => {
  it('C11: an extra table, column and index that no phase owns are left alone, and counted', async () => {
    await test.exec(`CREATE TABLE two.notes (id int); CREATE MATERIALIZED VIEW two.sums AS SELECT 1 n; ALTER TABLE two.banks ADD COLUMN colour text DEFAULT 'red';
      CREATE INDEX my_own ON two.documents (created_at); ALTER TABLE two.documents ADD CONSTRAINT mine CHECK (id <> '')`);
    const plan = await fleet.plan(only('two'));
    expect(plan.summary).toMatchObject({ inSync: 1, drifted: 0 });
    expect(plan.databases[0]?.unmanaged).toMatchObject({ tables: 2, columns: 1, indexes: 1 });
    expect((await fleet.plan()).databases[0]?.unmanaged?.tables).toBe(2);
    fleet.forget();
    await fleet.apply(only('two'));
    expect(changed(fleet.statements)).toEqual([]);
  });

  it.each(['aaaabbbbcccc', 'ffffffffffff'])(
    'C14: at release %s the base phase waits, the extension phases do not',
    async (stamp) => {
      await test.exec(`UPDATE two.alembic_version SET version_num = '${stamp}';
      DROP INDEX IF EXISTS two.idx_memory_units_tags; DROP INDEX IF EXISTS two.idx_memory_units_text_search`);
      const plan = await fleet.plan(only('two'));
      expect(changesOf(plan, 'two').toSorted()).toEqual([
        'create-index memory_units.idx_memory_units_tags deferred',
        'create-index memory_units.idx_memory_units_text_search pending',
      ]);
      const waiting = itemsOf(plan, 'two').find(({ change }) => change.status === 'deferred')?.change;
      expect(waiting?.obstacle).toContain(stamp);
      expect(waiting?.remedy).toMatch(/migration/u);
      expect((await fleet.apply(only('two'))).summary).toMatchObject({ failed: 0, blocked: 0 });
      const again = await fleet.plan(only('two'));
      expect(again.summary).toMatchObject({ inSync: 1, deferred: 1 });
    },
  );

  it('C14: an extension phase waits for base tables and columns that the other release lacks', async () => {
    await test.exec(
      'DROP MATERIALIZED VIEW two.memory_units_bm25; ALTER TABLE two.mental_models DROP COLUMN content CASCADE',
    );
    const statuses = itemsOf(await fleet.plan(only('two')), 'two').map(({ change }) => change.status);
    expect(new Set(statuses)).toEqual(new Set(['deferred']));
    expect((await fleet.apply(only('two'))).summary).toMatchObject({ deferred: 1 });
  });

  it.each(['DELETE FROM one.alembic_version', 'DROP TABLE one.alembic_version'])(
    'C14: no stamp is accepted: %s',
    async (sql) => {
      await test.exec(`${sql}; DROP INDEX one.idx_memory_units_tags`);
      expect(changesOf(await fleet.plan(only('one')), 'one')).toContain(
        'create-index memory_units.idx_memory_units_tags pending',
      );
      expect((await fleet.apply(only('one', dimension(768)))).summary).toMatchObject({ converged: 1 });
    },
  );
});
