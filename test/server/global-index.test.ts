import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertBank, insertMemories, KINDS, memberName, VECTOR_INDEXES_SQL } from '../support/banks.js';
import { writeDesiredState } from '../support/desired-state-fixture.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet, SHIPPED } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const GLOBAL = 'idx_memory_units_embedding';
const createGlobal = (schema: string, method = 'hnsw') =>
  `CREATE INDEX ${GLOBAL} ON ${schema}.memory_units USING ${method} (embedding public.vector_cosine_ops);`;

let test: TestDatabase;
let fleet: FleetUnderTest;

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  // By itself: of tenants that are alike the oldest speaks for the others, and its view is put to EXPLAIN.
  await fleet.provision(['quiet']);
  await fleet.provision(['busy', 'kept']);
});

afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const vectorIndexes = async (schema: string) =>
  (await test.query<{ name: string; valid: boolean }>(VECTOR_INDEXES_SQL, [schema])).map(({ name, valid }) => [
    name,
    valid,
  ]);

describe('a global index that the backend no longer has', () => {
  it('G4: is left alone under the skip flag, which neither reads nor sends anything of the extension phases', async () => {
    await test.exec(createGlobal('quiet') + insertBank('quiet', 1, 'without members'));
    const load = { skipExtensionPhases: true };
    fleet.forget();
    const outcome = await fleet.apply({ load });
    expect(outcome.summary).toMatchObject({ tenants: 3, inSync: 3 });
    const reading = fleet.statements.filter((sql) => !/^explain \(verbose,/iu.test(sql));
    expect(reading.filter((sql) => /^\s*(create|drop|alter|lock)\b|from quiet\./iu.test(sql))).toEqual([]);
    expect(reading.length).toBeLessThan(fleet.statements.length);
    expect(await vectorIndexes('quiet')).toEqual([[GLOBAL, true]]);
    const { desired } = await fleet.plan({ load });
    expect(desired.phases.filter((phase) => !phase.selected).map((phase) => phase.name)).toEqual([
      'vector',
      'text-search',
    ]);
  });

  it('G4: base drift is mended under the skip flag, extension drift of the same table is not', async () => {
    await test.exec('DROP INDEX quiet.idx_memory_units_tags; DROP INDEX quiet.idx_memory_units_text_search');
    const load = { skipExtensionPhases: true };
    expect(changesOf(await fleet.plan({ load }), 'quiet')).toEqual([
      'create-index memory_units.idx_memory_units_tags pending',
    ]);
    await fleet.apply({ load });
    expect(changesOf(await fleet.plan({ load }), 'quiet')).toEqual([]);
    expect(changesOf(await fleet.plan(), 'quiet')).toContain(
      'create-index memory_units.idx_memory_units_text_search pending',
    );
  });

  it('G2: is dropped concurrently, and never locks its table against readers or writers', async () => {
    await fleet.apply({ exclude: ['busy', 'kept'] });
    await test.exec(createGlobal('quiet'));
    const [found] = itemsOf(await fleet.plan(), 'quiet');
    expect(found?.change).toMatchObject({
      action: 'drop-index',
      object: GLOBAL,
      status: 'pending',
      reason: 'owned by phase vector, absent from the desired state',
      hazards: ['INDEX_DROPPED'],
    });
    fleet.forget();
    const locks = await applyHeldAtDrop('quiet', async () => {
      await test.exec(
        `SET lock_timeout = '1s'; INSERT INTO quiet.memory_units (bank_id, text) VALUES ('x', 'x'); DELETE FROM quiet.memory_units; RESET lock_timeout`,
      );
    });
    expect(fleet.statements.filter((sql) => /^drop/iu.test(sql))).toEqual([`DROP INDEX CONCURRENTLY quiet.${GLOBAL}`]);
    expect(locks).not.toContain('AccessExclusiveLock');
    expect(await vectorIndexes('quiet')).toEqual(KINDS.map(({ code }) => [memberName(code, 1), true]).sort());
    expect(changesOf(await fleet.plan(), 'quiet')).toEqual([]);
  });

  it('G3: goes only when the members of a bank with 20,000 rows are built and valid', async () => {
    await test.exec(
      insertBank('busy', 1, 'big') + createGlobal('busy', 'ivfflat') + insertMemories('busy', 'big', 20_000),
    );
    fleet.forget();
    const locks = await applyHeldAtDrop('busy', async () => {
      expect((await vectorIndexes('busy')).filter(([name]) => name !== GLOBAL)).toEqual(
        KINDS.map(({ code }) => [memberName(code, 1), true]).sort(),
      );
    });
    const ddl = fleet.statements.filter((sql) => /^(create|drop|alter)/iu.test(sql));
    expect(ddl.map((sql) => sql.replace(/ ON .*/su, ''))).toEqual([
      ...KINDS.map(({ code }) => `CREATE INDEX CONCURRENTLY ${memberName(code, 1)}`),
      `DROP INDEX CONCURRENTLY busy.${GLOBAL}`,
    ]);
    expect(locks).not.toContain('AccessExclusiveLock');
    expect(await vectorIndexes('busy')).toEqual(KINDS.map(({ code }) => [memberName(code, 1), true]).sort());
    expect(changesOf(await fleet.plan(), 'busy')).toEqual([]);
  });
});

describe('an index that a phase owns and nothing declares', () => {
  it('G15: stays when it matches keep, else goes, with its scans as a hazard', async () => {
    const fleetYaml = readFileSync(`${SHIPPED}/fleet.yaml`, 'utf8').replace('keep: []', "keep: ['kept\\_%']");
    const directory = shippedWith(fleetYaml);
    const operators = ['vector_cosine_ops', 'vector_l2_ops', 'vector_ip_ops', 'vector_cosine_ops'];
    await test.exec(
      ['kept_one', 'keptXone', 'scanned', 'idx_mu_emb_worl_orphan']
        .map(
          (name, at) => `CREATE INDEX "${name}" ON kept.memory_units USING hnsw (embedding public.${operators[at]});`,
        )
        .join(''),
    );
    await test.exec(
      `SET enable_seqscan = off; SELECT FROM kept.memory_units ORDER BY embedding <#> array_fill(1, ARRAY[384])::public.vector LIMIT 1; RESET enable_seqscan`,
    );
    // Statistics reach other sessions a second late, unless they are told to at the end of the next transaction.
    await test.query('SELECT pg_stat_force_next_flush()');
    const found = itemsOf(await fleet.plan({ directory }), 'kept').map(({ change, members }) => [
      change.action,
      members?.map((member) => member.index).join() ?? change.object,
      change.hazards,
    ]);
    expect(found).toHaveLength(3);
    expect(found).toEqual(
      expect.arrayContaining([
        ['drop-index', 'keptXone', ['INDEX_DROPPED']],
        ['drop-index', 'scanned', ['INDEX_DROPPED', 'INDEX_IN_USE']],
        ['drop-index', 'idx_mu_emb_worl_orphan', ['INDEX_DROPPED']],
      ]),
    );
    await fleet.apply({ directory });
    expect(await vectorIndexes('kept')).toEqual([['kept_one', true]]);
    expect(changesOf(await fleet.plan({ directory }), 'kept')).toEqual([]);
    // Without the pattern it is one like any other.
    expect(changesOf(await fleet.plan(), 'kept')).toEqual(['drop-index memory_units.kept_one pending']);
  });

  it('G15: an index of the application’s own, over other columns or of another method, is not touched', async () => {
    await test.exec(`DROP INDEX kept.kept_one;
      CREATE INDEX theirs_btree ON kept.memory_units (mentioned_at, bank_id);
      CREATE INDEX theirs_gin ON kept.memory_units USING gin (metadata);
      CREATE INDEX idx_mu_emb_worl_btree ON kept.memory_units (mentioned_at);`);
    expect(changesOf(await fleet.plan(), 'kept')).toEqual([]);
  });
});

/** The shipped desired state with another fleet.yaml. */
function shippedWith(fleetYaml: string): string {
  const files = ['base.yaml', 'vector/pgvector.yaml', 'text-search/native.yaml'];
  return writeDesiredState(
    Object.fromEntries([
      ['fleet.yaml', fleetYaml],
      ...files.map((file) => [file, readFileSync(`${SHIPPED}/${file}`, 'utf8')]),
    ]),
    {},
  );
}

/**
 * Applies while a reader keeps a transaction open that DROP INDEX CONCURRENTLY waits for, and does something meanwhile.
 * Gives the modes of all locks that were seen on the tenant's memory_units.
 */
async function applyHeldAtDrop(schema: string, meanwhile: () => Promise<void>): Promise<readonly string[]> {
  const [reader, watcher] = [await test.connect(), await test.connect()];
  const modes = new Set<string>();
  await reader.query(`BEGIN; SELECT FROM ${schema}.memory_units LIMIT 1`);
  let running = true;
  let held = false;
  const applying = fleet.apply().finally(() => {
    running = false;
  });
  try {
    while (running) {
      const { rows } = await watcher.query<{ mode: string; query: string }>(
        `select l.mode, a.query from pg_locks l join pg_stat_activity a using (pid)
          where l.relation = ($1 || '.memory_units')::regclass and a.pid <> pg_backend_pid()`,
        [schema],
      );
      for (const { mode } of rows) modes.add(mode);
      if (held || !rows.some(({ query }) => query.startsWith('DROP INDEX'))) continue;
      held = true;
      await meanwhile();
      await reader.query('COMMIT');
    }
  } finally {
    await reader.end();
    await applying;
    await watcher.end();
  }
  expect(held).toBe(true);
  return [...modes];
}
