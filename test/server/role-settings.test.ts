import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/postgres/server.js';
import { otherPostgres } from '../support/postgres/versions.js';
import { testSessions } from '../support/sessions.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** What managed services give roles and databases; 17 brings the last. */
const LIMITS = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'transaction_timeout',
] as const;

describe.each([
  ['the server of all tests', null],
  ['PostgreSQL 17', '17'],
] as const)('R18: a role with limits of 300 ms, on %s', (_, major) => {
  let server: TestServer | null = null;
  let test: TestDatabase;
  const sessions = testSessions();
  const role = `hurried_${process.pid}_${major ?? 'own'}`;
  const limits = LIMITS.filter((name) => major !== null || name !== 'transaction_timeout');

  beforeAll(async () => {
    if (major !== null) server = await startServer({ bin: otherPostgres(major) });
    test = await createTestDatabase(server === null ? {} : { server });
    await test.exec(`CREATE ROLE ${role} LOGIN SUPERUSER; CREATE TABLE public.items (id int)`);
    for (const name of limits) {
      await test.exec(`ALTER ROLE ${role} SET ${name} = '300ms'`);
      await test.exec(`ALTER DATABASE ${test.name} SET ${name} = '200ms'`);
    }
  });
  afterEach(() => sessions.close());
  afterAll(async () => {
    await test.drop();
    if (server === null) {
      const elsewhere = await createTestDatabase();
      await elsewhere.exec(`DROP ROLE ${role}`);
      await elsewhere.drop();
    }
    await server?.remove();
  });

  it('does not end a statement, a wait for a lock, an idle moment in a transaction, or the transaction', async () => {
    const session = await sessions.open(test.urlFor(role));
    await session.query('SELECT pg_sleep(0.5)');
    await session.query('BEGIN');
    await session.query('SELECT pg_sleep(0.4)');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await session.query('COMMIT');

    const holder = await sessions.open(test.urlFor('postgres'));
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE public.items IN ACCESS EXCLUSIVE MODE');
    const waiting = session.query('SELECT FROM public.items');
    await holder.query('SELECT pg_sleep(0.5)');
    await holder.query('COMMIT');
    expect(await waiting).toEqual([]);
  });

  it('would have ended them in a session that sets none of its own', async () => {
    const client = await test.connect(role);
    for (const name of limits) expect((await client.query(`SHOW ${name}`)).rows).toEqual([{ [name]: '300ms' }]);
    // By 17's transaction_timeout the connection ends as well (25P04).
    await expect(client.query('SELECT pg_sleep(0.5)')).rejects.toMatchObject({
      code: expect.stringMatching(/57014|25P04/u) as string,
    });
    await client.end().catch(() => {});
  });
});
