import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findHolders, lockHolders, waitersBehind } from '../../src/apply/holders.js';
import { oldSnapshots } from '../../src/apply/old-snapshots.js';
import { describeHolder } from '../../src/catalog/lock-holder.js';
import type { Session } from '../../src/database/session.js';
import { LOCK_MODES, type LockMode } from '../../src/diff/lock-mode.js';
import { startServer, type TestServer } from '../support/postgres/server.js';
import { testSessions } from '../support/sessions.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let server: TestServer;
let test: TestDatabase;
let session: Session;
const sessions = testSessions();
const clients: pg.Client[] = [];

beforeAll(async () => {
  server = await startServer({ settings: { max_prepared_transactions: '5' } });
  test = await createTestDatabase({ server });
  await test.exec(`CREATE SCHEMA "Tenant A"; CREATE TABLE "Tenant A".items (id int); CREATE TABLE "Tenant A".other (id int);
    CREATE SCHEMA b; CREATE TABLE b.items (id int); CREATE ROLE blind LOGIN; CREATE ROLE app LOGIN;
    GRANT USAGE ON SCHEMA "Tenant A" TO app; GRANT ALL ON ALL TABLES IN SCHEMA "Tenant A" TO app`);
  session = await sessions.open(test.url);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})));
  const mine = "SELECT FROM pg_stat_activity WHERE application_name = 'holder'";
  await expect.poll(() => test.query(mine), { timeout: 10_000 }).toHaveLength(0);
});
afterAll(async () => {
  await sessions.close();
  await server.remove();
});

/** Another session, named `holder`, that has run some statements. */
async function other(statements: readonly string[], user = 'app'): Promise<{ client: pg.Client; pid: number }> {
  const client = await test.connect(user);
  clients.push(client);
  await client.query("SET application_name = 'holder'");
  for (const statement of statements) await client.query(statement);
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return { client, pid: rows[0]?.pid ?? 0 };
}

describe('R6: who holds a lock', () => {
  it('is named by process, application, user, state, age and query start, and never by its query', async () => {
    const { pid } = await other(['BEGIN', 'LOCK TABLE "Tenant A".items IN ROW EXCLUSIVE MODE /* \'secret\' */']);
    const found = await findHolders(session, 'Tenant A', ['items', 'other'], 'SHARE');
    expect(found).toMatchObject([
      { pid, application: 'holder', user: 'app', state: 'idle in transaction', mode: 'ROW EXCLUSIVE', what: 'items' },
    ]);
    const [holder] = found;
    if (holder === undefined) throw new Error('none');
    expect(Math.abs(Date.now() - (holder.queryStart?.getTime() ?? 0))).toBeLessThan(60_000);
    expect(describeHolder(holder)).toMatch(
      new RegExp(
        `^process ${pid} \\(application "holder", user "app", idle in transaction for \\d+ s, query since \\d\\d:\\d\\d:\\d\\d UTC\\)$`,
        'u',
      ),
    );
  });

  it('is judged by the modes that conflict, for each pair of modes as the server judges', async () => {
    for (const held of LOCK_MODES.slice(1)) {
      const { client, pid } = await other(['BEGIN', `LOCK TABLE "Tenant A".items IN ${held} MODE`]);
      const asked = await test.connect();
      for (const wanted of LOCK_MODES.slice(1) as readonly LockMode[]) {
        const conflicts = await asked.query(`BEGIN; LOCK TABLE "Tenant A".items IN ${wanted} MODE NOWAIT`).then(
          () => false,
          () => true,
        );
        await asked.query('ROLLBACK');
        const found = await findHolders(session, 'Tenant A', ['items'], wanted);
        expect([held, wanted, found.map((one) => one.pid)]).toEqual([held, wanted, conflicts ? [pid] : []]);
      }
      await client.end();
      await asked.end();
    }
  });

  it('is looked for in the tenant alone, the oldest first, itself left out', async () => {
    const older = await other(['BEGIN', 'SELECT FROM "Tenant A".items']);
    const newer = await other(['BEGIN', 'SELECT FROM "Tenant A".other', 'SELECT FROM "Tenant A".items']);
    await other(['BEGIN', 'SELECT FROM b.items'], 'postgres');
    await session.query('BEGIN');
    await session.query('SELECT FROM "Tenant A".items');
    const found = await findHolders(session, 'Tenant A', ['items', 'other'], 'ACCESS EXCLUSIVE');
    await session.query('COMMIT');
    expect(found.map(({ pid, tables }) => [pid, tables])).toEqual([
      [older.pid, ['items']],
      [newer.pid, ['items', 'other']],
    ]);
  });

  it('may be a prepared transaction', async () => {
    await other(['BEGIN', 'INSERT INTO "Tenant A".items VALUES (1)', "PREPARE TRANSACTION 'half done'"]);
    try {
      const found = await findHolders(session, 'Tenant A', ['items'], 'SHARE');
      expect(found).toMatchObject([{ pid: 0, user: 'app', mode: 'ROW EXCLUSIVE', what: 'half done' }]);
      expect(found.map(describeHolder).join()).toMatch(
        /^prepared transaction "half done" \(user "app", prepared \d+ s ago, .*ROLLBACK PREPARED/u,
      );
    } finally {
      await test.query("ROLLBACK PREPARED 'half done'");
    }
  });

  it('is said as far as the role may see', async () => {
    const { pid } = await other(['BEGIN', 'SELECT FROM "Tenant A".items']);
    const blind = await sessions.open(test.urlFor('blind'));
    const found = await findHolders(blind, 'Tenant A', ['items'], 'ACCESS EXCLUSIVE');
    expect(found).toMatchObject([{ pid, user: 'app', state: null, age: null, queryStart: null }]);
    expect(found.map(describeHolder).join()).toContain('hidden from roles without pg_read_all_stats');
  });
});

it('R3: who holds a tenant’s lock, or that of its migration, is told by any of its keys, whatever they are', async () => {
  const keys = ['-1', '7', '-9223372036854775808', '9223372036854775807', '4294967296', '-4294967297'];
  const { pid } = await other(keys.map((key) => `SELECT pg_advisory_lock(${key})`));
  const asked = new Map<string, readonly string[]>([
    ...keys.map((key): [string, readonly string[]] => [`t${key}`, ['12345', key]]),
    ['free', ['12345']],
    // A lock of two keys of 32 bits is another one.
    ['apart', ['8589934595']],
  ]);
  await other(['SELECT pg_advisory_lock(2, 3)']);
  const found = await lockHolders(session, asked);
  expect([...found.keys()].sort()).toEqual(keys.map((key) => `t${key}`).sort());
  for (const words of found.values()) expect(words).toContain(`process ${pid} (application "holder", user "app", idle`);
});

describe('R15: who waits behind a session', () => {
  it('is found with the time that it has waited, for tables and advisory locks, with a role that sees little', async () => {
    const blind = await sessions.open(test.urlFor('blind'));
    const ours = await other(['BEGIN', 'LOCK TABLE "Tenant A".items IN SHARE MODE', 'SELECT pg_advisory_lock(7)']);
    const innocent = await other(['BEGIN', 'LOCK TABLE "Tenant A".other IN SHARE MODE']);
    const [writer, migration, elsewhere] = [await other([]), await other([]), await other([])];
    const waiting = [
      writer.client.query('INSERT INTO "Tenant A".items VALUES (1)'),
      migration.client.query('SELECT pg_advisory_lock(7)'),
      elsewhere.client.query('INSERT INTO "Tenant A".other VALUES (1)'),
    ].map((one) => one.catch(() => {}));
    await expect.poll(() => waitersBehind(blind, [ours.pid]), { timeout: 10_000 }).toHaveLength(2);
    const before = await waitersBehind(blind, [ours.pid]);
    expect(before.map(({ pid }) => pid).sort()).toEqual([writer.pid, migration.pid].sort());
    expect(before.every(({ blocker }) => blocker === ours.pid)).toBe(true);
    await session.query('SELECT pg_sleep(0.3)');
    const after = await waitersBehind(blind, [ours.pid]);
    for (const { pid, waited } of after)
      expect(waited - (before.find((one) => one.pid === pid)?.waited ?? 0)).toBeGreaterThanOrEqual(295);
    // What waits among the run's own is no concern of this.
    expect(await waitersBehind(blind, [ours.pid, writer.pid, migration.pid])).toEqual([]);
    await Promise.all([ours, innocent].map(({ client }) => client.end()));
    await Promise.all(waiting);
  });
});

describe('R6: snapshots that hold up a concurrent build', () => {
  /** Whether a concurrent build that is begun now still waits after a while. */
  async function heldUp(): Promise<boolean> {
    const builder = await test.connect();
    try {
      await builder.query("SET statement_timeout = '1s'");
      await builder.query('CREATE INDEX CONCURRENTLY held ON b.items (id) WHERE id > 0');
      return false;
    } catch {
      return true;
    } finally {
      await builder.query('DROP INDEX IF EXISTS b.held').catch(() => {});
      await builder.end();
    }
  }

  it.each([
    ['a snapshot held on another table', ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT FROM "Tenant A".other']],
    ['an open cursor', ['BEGIN', 'DECLARE c CURSOR FOR SELECT FROM "Tenant A".other', 'FETCH 1 FROM c']],
    ['a transaction that waits without a snapshot', ['BEGIN', 'SELECT FROM "Tenant A".other']],
    ['a transaction that has written', ['BEGIN', 'INSERT INTO "Tenant A".other VALUES (1)']],
    [
      'a prepared transaction',
      ['BEGIN', 'INSERT INTO "Tenant A".other VALUES (1)', "PREPARE TRANSACTION 'other table'"],
    ],
    ['an idle session', ['SELECT 1']],
  ])('are those that a build does wait for: %s', async (what, statements) => {
    const { pid } = await other(statements);
    try {
      await session.query('SELECT pg_sleep(0.2)');
      const found = await oldSnapshots(session, 100, []);
      expect(found.map((one) => one.pid)).toEqual((await heldUp()) ? [pid] : []);
    } finally {
      if (what === 'a prepared transaction') await test.query("ROLLBACK PREPARED 'other table'");
    }
  });

  it('are told to a role that sees little too, by watching them', async () => {
    const blind = await sessions.open(test.urlFor('blind'));
    const { client, pid } = await other(['BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT FROM "Tenant A".other']);
    expect((await oldSnapshots(blind, 600, [])).map((one) => one.pid)).toEqual([pid]);
    expect(await oldSnapshots(blind, 600, [pid])).toEqual([]);
    expect(await oldSnapshots(session, 600_000, [])).toEqual([]);
    // One that ends meanwhile and is followed by another is not old.
    const looking = oldSnapshots(blind, 1500, []);
    for (let at = 0; at < 4; at += 1) {
      await client.query('COMMIT');
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      await client.query('SELECT FROM "Tenant A".other');
      await session.query('SELECT pg_sleep(0.2)');
    }
    expect(await looking).toEqual([]);
  });

  it('in another database do not count', async () => {
    const elsewhere = await sessions.open(server.url('postgres'));
    await elsewhere.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await elsewhere.query('SELECT 1');
    await session.query('SELECT pg_sleep(0.1)');
    expect(await oldSnapshots(session, 50, [])).toEqual([]);
    await elsewhere.close();
  });
});
