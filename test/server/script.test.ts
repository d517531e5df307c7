import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.js';
import type { Database, Session } from '../../src/database/session.js';
import { resolveTarget } from '../../src/database/target.js';
import { inScripts } from '../../src/database/transaction.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let database: Database;
let session: Session;
const sent: string[] = [];
beforeAll(async () => {
  test = await createTestDatabase();
  await test.exec('CREATE TABLE kept (n int)');
  database = await openDatabase(resolveTarget({ databaseUrl: test.url, environment: {}, variables: [] }), {
    id: 'main',
    maxSessions: 2,
    observe: ({ sql }) => sent.push(sql),
  });
});
beforeEach(async () => {
  session = await database.connect();
  sent.splice(0);
});
afterEach(() => session.close());
afterAll(async () => {
  await database?.close();
  await test?.drop();
});

const tables = async () =>
  (await test.query<{ name: string }>(`SELECT relname::text "name" FROM pg_class WHERE relname ~ '^made'`)).map(
    ({ name }) => name,
  );

it('gives what single statements would give, a result for each', async () => {
  const selects = [
    `SELECT 1 n, true yes, NULL::text nothing, '{1,2}'::int[] list, '{"a": [null]}'::jsonb tree, 5::bigint large`,
    'SELECT n FROM public.kept',
    'SELECT g FROM generate_series(1, 3) g',
  ];
  const alone = [];
  for (const sql of selects) alone.push(await session.query(sql));
  sent.splice(0);
  const script = await session.script(['BEGIN', ...selects, 'COMMIT']);
  expect(script).toEqual([[], ...alone, []]);
  expect(script[1]).toEqual([{ n: 1, yes: true, nothing: null, list: [1, 2], tree: { a: [null] }, large: '5' }]);
  expect(sent).toEqual(['BEGIN', ...selects, 'COMMIT']);
});

const FAILING: readonly (readonly [string, readonly string[], string])[] = [
  [
    'the transaction could not begin',
    ['BEGIN ISOLATION LEVEL NONE', 'CREATE TABLE public.made_a ()', 'COMMIT'],
    '42601',
  ],
  ['a lock was not had', ['BEGIN', 'LOCK TABLE public.none', 'CREATE TABLE public.made_b ()', 'COMMIT'], '42P01'],
  ['a statement before the commit failed', ['BEGIN', 'CREATE TABLE public.made_c ()', 'SELECT 1/0', 'COMMIT'], '22012'],
];

/** One script; what it failed with, or nothing. */
async function transaction(statements: readonly string[]): Promise<void> {
  const { made, error } = await session.transactions([statements]);
  expect(made).toBe(error === null ? 1 : 0);
  if (error !== null) throw error;
}

const sending = { script: (statements: readonly string[]) => session.script(statements), transaction };

it.each((['script', 'transaction'] as const).flatMap((how) => FAILING.map((failing) => [how, ...failing] as const)))(
  'a %s does nothing of what stands behind an error: %s',
  async (how, _, statements, code) => {
    await expect(sending[how](statements)).rejects.toMatchObject({ name: 'DatabaseError', code });
    expect(session.broken).toBe(false);
    await session.query('ROLLBACK');
    expect(await session.query('SELECT 1 n')).toEqual([{ n: 1 }]);
    expect(await tables()).toEqual([]);
  },
);

it('takes one statement at each place: nothing smuggled in behind another can run', async () => {
  await expect(session.script(['BEGIN', 'SELECT 1; CREATE TABLE public.made_d ()', 'COMMIT'])).rejects.toMatchObject({
    code: '42601',
  });
  await session.query('ROLLBACK');
  expect(await tables()).toEqual([]);
});

it('a transaction’s statements are ended by more than a comment could swallow', async () => {
  await transaction(['BEGIN', 'CREATE TABLE public.made_e () -- why', 'DROP TABLE public.made_e /* so */', 'COMMIT']);
  expect(await tables()).toEqual([]);
});

it('a transaction in which the server finds another number of statements than were meant is never taken for done', async () => {
  await expect(transaction(['BEGIN', 'SELECT 1; SELECT 2', 'COMMIT'])).rejects.toMatchObject({
    code: 'XX000',
    message: expect.stringMatching(/^the server found 4 statements where 3 were meant: .*please report it/u),
  });
  await expect(transaction(['BEGIN', "SELECT 'it''s'", 'COMMIT'])).resolves.toBeUndefined();
});

it('says that the connection is lost when the server ends it half-way, and is broken from then on', async () => {
  const lost = session.script(['BEGIN', 'SELECT pg_terminate_backend(pg_backend_pid())', 'SELECT 1', 'COMMIT']);
  await expect(lost).rejects.toMatchObject({ name: 'DatabaseError' });
  await expect(session.script(['SELECT 1'])).rejects.toMatchObject({ code: '08006' });
  expect(session.broken).toBe(true);
});

it('a transaction of several scripts is rolled back when what is between them fails', async () => {
  const failing = inScripts(session, async (begin, commit) => {
    await session.script([begin, 'CREATE TABLE public.made_e ()']);
    if (sent.length > 0) throw new Error('not what was thought');
    await session.script([commit]);
  });
  await expect(failing).rejects.toThrow('not what was thought');
  expect(await tables()).toEqual([]);
  await inScripts(session, async (begin, commit) => {
    await session.script([begin, 'CREATE TABLE public.made_f ()', commit]);
  });
  expect(await tables()).toEqual(['made_f']);
});

/** What the session has sent: the driver's types do not say where it writes. */
const bytesWritten = (): number =>
  (session as unknown as { client: { connection: { stream: { bytesWritten: number } } } }).client.connection.stream
    .bytesWritten;

const making = (table: string, ...more: readonly string[]) => [
  'BEGIN',
  ...more,
  `CREATE TABLE public.${table} ()`,
  'COMMIT',
];

it('makes transactions in the order in which they were sent, the second before this process has heard of the first', async () => {
  const order: string[] = [];
  const first = transaction(making('made_g', 'SELECT pg_sleep(0.2)')).then(() => order.push('first'));
  const written = bytesWritten();
  const second = transaction(making('made_h', 'ALTER TABLE public.made_g ADD COLUMN n int'));
  expect(bytesWritten()).toBeGreaterThan(written);
  expect(order).toEqual([]);
  await Promise.all([first, second.then(() => order.push('second'))]);
  expect(order).toEqual(['first', 'second']);
  expect(await tables()).toEqual(expect.arrayContaining(['made_g', 'made_h']));
  expect(sent.slice(-4)).toEqual(making('made_h', 'ALTER TABLE public.made_g ADD COLUMN n int'));
});

it('a transaction behind one that fails does nothing, whatever it says, and a rollback makes the session whole', async () => {
  const first = transaction(making('made_i', 'SELECT 1/0'));
  const second = transaction(making('made_j'));
  await expect(first).rejects.toMatchObject({ name: 'DatabaseError', code: '22012' });
  await expect(second).rejects.toMatchObject({ name: 'DatabaseError', code: '25P02' });
  await session.query('ROLLBACK');
  expect(await tables()).not.toEqual(expect.arrayContaining(['made_i']));
  expect(await tables()).not.toEqual(expect.arrayContaining(['made_j']));
  await transaction(making('made_j'));
  expect(await tables()).toEqual(expect.arrayContaining(['made_j']));
});

it('a transaction behind one that could not begin is made', async () => {
  const first = transaction(['BEGIN ISOLATION LEVEL NONE', 'CREATE TABLE public.made_k ()', 'COMMIT']);
  const second = transaction(making('made_l'));
  await expect(first).rejects.toMatchObject({ code: '42601' });
  await second;
  expect(await tables()).toEqual(expect.arrayContaining(['made_l']));
  expect(await tables()).not.toEqual(expect.arrayContaining(['made_k']));
});

it('nothing but a transaction stands behind a transaction, and that behind nothing else', async () => {
  const slow = transaction(making('made_m', 'SELECT pg_sleep(0.1)'));
  await expect(session.query('SELECT 1')).rejects.toThrow('one statement at a time');
  await expect(session.script(['SELECT 1'])).rejects.toThrow('one statement at a time');
  await slow;
  const query = session.query('SELECT pg_sleep(0.1)');
  await expect(transaction(making('made_n'))).rejects.toThrow('one statement at a time');
  await query;
  expect(await session.query('SELECT 1 n')).toEqual([{ n: 1 }]);
});

it('both transactions are in doubt when the server ends the connection', async () => {
  const first = transaction(making('made_o', 'SELECT pg_terminate_backend(pg_backend_pid())'));
  const second = transaction(making('made_p'));
  await expect(first).rejects.toMatchObject({ name: 'DatabaseError' });
  await expect(second).rejects.toMatchObject({ code: expect.stringMatching(/^(?:08006|57P01)$/u) });
  expect(session.broken).toBe(true);
});

it('several transactions in one message are made one by one, each at its own COMMIT', async () => {
  const made = await session.transactions([
    making('made_q', 'LOCK TABLE public.kept IN SHARE MODE'),
    making(
      'made_r',
      `INSERT INTO public.kept SELECT count(*) FROM pg_locks WHERE relation = 'public.kept'::regclass AND mode = 'ShareLock'`,
    ),
  ]);
  expect(made).toEqual({ made: 2, error: null });
  // The lock of the first was gone in the second.
  expect(await session.query('SELECT n FROM public.kept')).toEqual([{ n: 0 }]);
  expect(await tables()).toEqual(expect.arrayContaining(['made_q', 'made_r']));
});

it('of several transactions in one message those before the one that fails are made, and none behind it', async () => {
  const { made, error } = await session.transactions([
    making('made_s'),
    making('made_t', 'SELECT 1/0'),
    making('made_u'),
  ]);
  expect([made, error?.code]).toEqual([1, '22012']);
  await session.query('ROLLBACK');
  expect(await tables()).toEqual(expect.arrayContaining(['made_s']));
  for (const table of ['made_t', 'made_u']) expect(await tables()).not.toContain(table);
});

it('a transaction that its COMMIT refuses is not counted as made', async () => {
  await test.exec(`CREATE TABLE late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO late VALUES (1)`);
  const { made, error } = await session.transactions([
    making('made_v'),
    making('made_w', 'INSERT INTO public.late VALUES (1)'),
  ]);
  expect([made, error?.code]).toEqual([1, '23505']);
  expect(await tables()).toEqual(expect.arrayContaining(['made_v']));
  expect(await tables()).not.toContain('made_w');
  await transaction(making('made_w'));
});
