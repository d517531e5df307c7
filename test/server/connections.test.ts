import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkConnections } from '../../src/apply/connections.js';
import { startServer, type TestServer } from '../support/postgres/server.js';
import { testSessions } from '../support/sessions.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let server: TestServer;
let test: TestDatabase;
const sessions = testSessions();

beforeAll(async () => {
  server = await startServer({ settings: { max_connections: '20', superuser_reserved_connections: '4' } });
  test = await createTestDatabase({ server });
  await test.exec('CREATE ROLE narrow LOGIN; CREATE ROLE wide LOGIN; CREATE ROLE tight LOGIN CONNECTION LIMIT 3');
});
afterEach(async () => {
  await sessions.close();
  await test.exec(`ALTER DATABASE ${test.name} CONNECTION LIMIT -1`);
});
afterAll(() => server.remove());

const ours = async (): Promise<number> =>
  (await test.query("SELECT FROM pg_stat_activity WHERE application_name = 'trueup'")).length;

/** How many sessions a user can really open, by opening them until the server refuses. */
async function openable(user: string): Promise<number> {
  const more = testSessions();
  const before = await ours();
  try {
    for (let count = 0; count < 30; count += 1) {
      const opened = await more.open(test.urlFor(user)).then(
        () => true,
        () => false,
      );
      if (!opened) return count;
    }
    throw new Error('there is no end');
  } finally {
    await more.close();
    // A session that has been ended still counts for a moment.
    await expect.poll(ours, { timeout: 10_000 }).toBe(before);
  }
}

describe('R2: free connections', () => {
  it.each([
    ['of the server, less what is kept for superusers', 'narrow', null],
    ['of the server, for a superuser', 'postgres', null],
    ['of the database', 'narrow', 6],
    ['of the database, which holds no superuser', 'postgres', 2],
    ['of the role', 'tight', null],
  ] as const)('are as many as the server then gives: %s', async (_, user, limit) => {
    if (limit !== null) await test.exec(`ALTER DATABASE ${test.name} CONNECTION LIMIT ${limit}`);
    const session = await sessions.open(test.urlFor(user));
    const free = await openable(user);
    expect(free).toBeGreaterThan(0);
    await checkConnections(session, free);
    await expect(checkConnections(session, free + 1)).rejects.toMatchObject({
      code: 'TOO_FEW_CONNECTIONS',
      message: expect.stringContaining(`${free} free connection`) as string,
      options: { remedy: expect.stringContaining(`--concurrency to ${free + 1} or less`) as string },
    });
  });

  it('that other roles use are counted by a role that sees nothing of them', async () => {
    const session = await sessions.open(test.urlFor('narrow'));
    const before = await openable('narrow');
    const others = testSessions();
    try {
      await others.open(test.urlFor('wide'));
      await others.open(server.url('postgres'));
      expect(await openable('narrow')).toBe(before - 2);
      await checkConnections(session, before - 2);
      await expect(checkConnections(session, before - 1)).rejects.toMatchObject({ code: 'TOO_FEW_CONNECTIONS' });
    } finally {
      await others.close();
    }
  });
});
