import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connectServer } from '../../src/database/pg-database.js';
import type { Database, Session } from '../../src/database/session.js';
import { resolveTarget } from '../../src/database/target.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let database: Database;

beforeAll(async () => {
  test = await createTestDatabase();
});
afterEach(() => database.close());
afterAll(() => test.drop());

function open(maxSessions: number, idleTimeout?: number): void {
  const target = resolveTarget({ databaseUrl: test.url, environment: {}, variables: [] });
  if (target.kind !== 'server') throw new Error('not a server');
  database = connectServer(target, { id: 'main', maxSessions, idleTimeout });
}

const processId = async (session: Session) => Number((await session.query('SELECT pg_backend_pid() AS pid'))[0]?.pid);

const connections = async () =>
  (
    await test.query(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'trueup' AND datname = current_database()",
    )
  ).length;

it('a session that is released leaves its connection to the next, and is of no more use itself', async () => {
  open(2);
  const first = await database.connect();
  const { pid, serverVersion } = first;
  await first.release();
  expect(database.spare).toBe(1);
  await expect(first.query('SELECT 1')).rejects.toMatchObject({ code: '08006' });
  const second = await database.connect();
  expect(database.spare).toBe(0);
  expect([second.pid, second.serverVersion, second.broken]).toEqual([pid, serverVersion, false]);
  expect(await processId(second)).toBe(pid);
  // Ended by whom it is not any more, it would be gone under the one who has it.
  await first.close();
  await first.release();
  expect(await processId(second)).toBe(pid);
  expect(await connections()).toBe(1);
});

it('R2: connections that are left are among those that are allowed', async () => {
  open(2);
  const [first, second] = [await database.connect(), await database.connect()];
  const pids = [first.pid, second.pid];
  await Promise.all([first.release(), second.release()]);
  const third = await database.connect();
  const waiting = Promise.all([database.connect(), database.connect()]);
  expect(await connections()).toBe(2);
  await third.release();
  expect((await waiting).map(({ pid }) => pid).sort()).toEqual([...pids].sort());
});

it('is ended when nobody comes, and with the database', async () => {
  open(3, 200);
  const first = await database.connect();
  await first.release();
  expect(database.spare).toBe(1);
  await expect.poll(connections, { timeout: 5_000 }).toBe(0);
  expect(database.spare).toBe(0);
  const second = await database.connect();
  await second.release();
  await database.close();
  await expect.poll(connections).toBe(0);
});

it('is not left to others as it is: with a transaction open, or ended by the server', async () => {
  open(2);
  const begun = await database.connect();
  await begun.query('BEGIN');
  await begun.release();
  expect(database.spare).toBe(0);
  await expect.poll(connections).toBe(0);

  const lost = await database.connect();
  await lost.release();
  await test.query('SELECT pg_terminate_backend($1)', [lost.pid]);
  await expect.poll(() => database.spare).toBe(0);
  const next = await database.connect();
  expect(await processId(next)).toBe(next.pid);
  expect(next.pid).not.toBe(lost.pid);
});
