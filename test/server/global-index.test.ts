import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMember, insertBank, insertMemories, KINDS, memberName, VECTOR_INDEXES_SQL } from '../support/banks.js';
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
  await fleet.provision(['quiet', 'busy', 'kept']);
});

afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const vectorIndexes = async (schema: string) =>
  (await test.query<{ name: string; valid: boolean }>(VECTOR_INDEXES_SQL, [schema])).map(({ name, valid }) => [name, valid]);

describe('a global index that the backend no longer has', () => {
  it('G4: is left alone under the skip flag, which neither reads nor sends anything of the extension phases', async () => {
    await test.exec(createGlobal('quiet') + insertBank('quiet', 1, 'without members'));
    const load = { skipExtensionPhases: true };
    fleet.forget();
    const outcome = await fleet.apply({ load });
    expect(outcome.summary).toMatchObject({ tenants: 3, inSync: 3 });
    expect(fleet.statements.filter((sql) => /^\s*(create|drop|alter|lock)\b|from quiet\./iu.test(sql))).toEqual([]);
    expect(await vectorIndexes('quiet')).toEqual([[GLOBAL, true]]);
    const { desired } = await fleet.plan({ load });
    expect(desired.phases.filter((phase) => !phase.selected).map((phase) => phase.name)).toEqual(['vector', 'text-search']);
  });

  it('G4: base drift is mended under the skip flag, extension drift of the same table is not', async () => {
    await test.exec('DROP INDEX quiet.idx_memory_units_tags; DROP INDEX quiet.idx_memory_units_text_search');
    const load = { skipExtensionPhases: true };
    expect(changesOf(await fleet.plan({ load }), 'quiet')).toEqual([
      'create-index memory_units.idx_memory_units_tags pending',
    ]);
    await fleet.apply({ load });
    expect(changesOf(await fleet.plan({ load }), 'quiet')).toEqual([]);
    expect(changesOf(await fleet.plan(), 'quiet')).toContain('create-index memory_units.idx_memory_units_text_search pending');
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
    // A reader in an open transaction: anything stronger than SHARE UPDATE EXCLUSIVE on the table would wait for it.
    const reader = await test.connect();
    await reader.query('BEGIN');
    await reader.query(`SELECT FROM quiet.banks`);
    fleet.forget();
    const locks = await lockModesDuring('quiet', () => fleet.apply());
    await reader.query('ROLLBACK');
    expect(fleet.statements.filter((sql) => /^drop/iu.test(sql))).toEqual([`DROP INDEX CONCURRENTLY quiet.${GLOBAL}`]);
    expect(locks).not.toContain('AccessExclusiveLock');
    expect(await vectorIndexes('quiet')).toEqual(KINDS.map(({ code }) => [memberName(code, 1), true]).sort());
    expect(changesOf(await fleet.plan(), 'quiet')).toEqual([]);
  });

  it('G3: goes only when the members of a bank with 20,000 rows are built and valid', async () => {
    await test.exec(insertBank('busy', 1, 'big') + createGlobal('busy', 'ivfflat') + insertMemories('busy', 'big', 20_000));
    fleet.forget();
    const validAtDrop: unknown[] = [];
    const locks = await lockModesDuring('busy', () => fleet.apply(), async (active) => {
      if (/^DROP INDEX/u.test(active)) validAtDrop.push(await vectorIndexes('busy'));
    });
    const ddl = fleet.statements.filter((sql) => /^(create|drop|alter)/iu.test(sql));
    expect(ddl.map((sql) => sql.replace(/ ON .*/su, ''))).toEqual([
      ...KINDS.map(({ code }) => `CREATE INDEX CONCURRENTLY ${memberName(code, 1)}`),
      `DROP INDEX CONCURRENTLY busy.${GLOBAL}`,
    ]);
    // What the server says after each build stands between the builds and the drop.
    const drop = fleet.statements.findIndex((sql) => sql.startsWith('DROP'));
    const checks = fleet.statements.slice(0, drop).filter((sql) => sql.includes('indisvalid and i.indisready "valid"'));
    expect(checks).toHaveLength(3);
    expect(locks).not.toContain('AccessExclusiveLock');
    expect(await vectorIndexes('busy')).toEqual(KINDS.map(({ code }) => [memberName(code, 1), true]).sort());
    expect(changesOf(await fleet.plan(), 'busy')).toEqual([]);
  });
});

/** The modes of all locks that were seen on a tenant's memory_units while something ran. */
async function lockModesDuring(
  schema: string,
  work: () => Promise<unknown>,
  active: (query: string) => Promise<void> = async () => {},
): Promise<readonly string[]> {
  const watcher = await test.connect();
  const modes = new Set<string>();
  let running = true;
  const watching = (async () => {
    while (running) {
      const { rows } = await watcher.query<{ mode: string; query: string }>(
        `select l.mode, a.query from pg_locks l join pg_stat_activity a using (pid)
          where l.relation = ($1 || '.memory_units')::regclass and a.pid <> pg_backend_pid()`,
        [schema],
      );
      for (const row of rows) {
        modes.add(row.mode);
        await active(row.query);
      }
    }
  })();
  try {
    await work();
  } finally {
    running = false;
    await watching;
    await watcher.end();
  }
  return [...modes];
}
