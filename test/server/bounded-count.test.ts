import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runTransaction } from '../../src/apply/transaction-unit.js';
import { openDatabase } from '../../src/database/open-database.js';
import { type Database, DatabaseError, type Session } from '../../src/database/session.js';
import { resolveTarget } from '../../src/database/target.js';
import { relativeSql } from '../../src/sql/template.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let database: Database;
let session: Session;
beforeAll(async () => {
  test = await createTestDatabase();
  await test.exec('CREATE SCHEMA t; CREATE TABLE t.items (id int); INSERT INTO t.items VALUES (1)');
  database = await openDatabase(resolveTarget({ databaseUrl: test.url, environment: {}, variables: [] }), {
    id: 'main',
  });
  session = await database.connect();
});
afterAll(async () => {
  await session?.close();
  await database?.close();
  await test?.drop();
});

const counting = (where: string, members: readonly Record<string, string>[] = []) => ({
  statements: [],
  evidence: [
    {
      assumption: { kind: 'few-rows', table: 'items', where: relativeSql(where), below: 3 } as const,
      members,
      drops: false,
    },
  ],
});

it('R6, R21: a count that decides on an index keeps writers waiting no longer than the lock budget', async () => {
  const began = performance.now();
  const slow = runTransaction(session, 't', counting('(SELECT true FROM pg_catalog.pg_sleep(30))'), 300);
  const writer = test.exec('INSERT INTO t.items VALUES (2)');
  await expect(slow).rejects.toMatchObject({ code: 'TENANT_FAILED', message: expect.stringContaining('items') });
  await writer;
  expect(performance.now() - began).toBeLessThan(5000);
});

it('R6, R21: the budget is one for all members that are counted, and a server of any language keeps to it', async () => {
  const script = session.script.bind(session);
  const spy = vi.spyOn(session, 'script').mockImplementation((statements) =>
    script(statements).catch((error: DatabaseError) => {
      throw new DatabaseError('storniere Anfrage wegen Zeitüberschreitung der Anfrage', error.code, error.details);
    }),
  );
  const members = Array.from({ length: 20 }, (_, at) => ({ at: String(at) }));
  const began = performance.now();
  const slow = runTransaction(session, 't', counting('(SELECT true FROM pg_catalog.pg_sleep(0.2))', members), 500);
  await expect(slow.finally(() => spy.mockRestore())).rejects.toMatchObject({
    code: 'TENANT_FAILED',
    message: expect.stringContaining('takes longer'),
  });
  expect(performance.now() - began).toBeLessThan(2000);
});

it('a count that somebody cancels within its budget was not too slow', async () => {
  const slow = runTransaction(session, 't', counting('(SELECT true FROM pg_catalog.pg_sleep(20))'), 10_000);
  const cancel = setInterval(() => void test.exec(`SELECT pg_cancel_backend(${session.pid})`), 200);
  await expect(slow.finally(() => clearInterval(cancel))).rejects.toMatchObject({ code: '57014' });
});

it('leaves no time limit behind', async () => {
  await runTransaction(session, 't', counting('id > 1'), 300);
  expect(await session.query(`SELECT pg_catalog.current_setting('statement_timeout') AS limit`)).toEqual([
    { limit: '0' },
  ]);
});
