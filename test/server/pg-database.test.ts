import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectServer } from '../../src/database/pg-database.js';
import type { Database, Session } from '../../src/database/session.js';
import { resolveTarget } from '../../src/database/target.js';
import { inTransaction } from '../../src/database/transaction.js';
import { TrueupError } from '../../src/trueup-error.js';
import { startProxy } from '../support/chaos/proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
const opened: Database[] = [];

beforeAll(async () => {
  test = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
});
afterAll(() => test.drop());

type Options = Partial<Parameters<typeof connectServer>[1]>;

function open(options: Options = {}, url = test.url): Database {
  const target = resolveTarget({ databaseUrl: url, environment: {}, variables: [] });
  if (target.kind !== 'server') throw new Error('not a server');
  const database = connectServer(target, { id: 'main', ...options });
  opened.push(database);
  return database;
}

async function failure(url: string, options: Options = {}): Promise<TrueupError> {
  try {
    await open(options, url).connect();
  } catch (error) {
    if (error instanceof TrueupError) return error;
    throw error;
  }
  throw new Error('nothing thrown');
}

const changed = (change: (url: URL) => void): string => {
  const url = new URL(test.url);
  url.password = 'secretpw';
  change(url);
  return url.href;
};

const processId = async (session: Session) => Number((await session.query('SELECT pg_backend_pid() AS pid'))[0]?.pid);

describe('a session on a server', () => {
  it('begins with one statement that pins its settings, whatever the role’s own are (R18)', async () => {
    await test.exec(`CREATE ROLE "Hasty Role" LOGIN;
      ALTER ROLE "Hasty Role" SET statement_timeout = '1s';
      ALTER ROLE "Hasty Role" SET search_path = public;
      ALTER ROLE "Hasty Role" SET transform_null_equals = on;
      ALTER ROLE "Hasty Role" SET "DateStyle" = 'SQL, DMY'`);
    const sent: string[] = [];
    const database = open({ observe: ({ sql }) => sent.push(sql) }, test.urlFor('Hasty Role'));
    const session = await database.connect();
    expect(sent).toHaveLength(1);
    const [row] = await session.query(
      `SELECT current_setting('statement_timeout') AS timeout, current_setting('search_path') AS path,
         current_setting('client_connection_check_interval') AS check, current_setting('application_name') AS name,
         current_setting('TimeZone') AS zone, now()::date AS day, current_setting('transform_null_equals') AS nulls`,
    );
    expect(row).toMatchObject({ timeout: '0', path: '', check: '1s', name: 'trueup', zone: 'UTC', nulls: 'off' });
    expect(row?.day).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(session.serverVersion).toBeGreaterThanOrEqual(140_000);
    await database.close();
    await test.exec('DROP ROLE "Hasty Role"');
  });

  it('is ended by the server within ten minutes where its machine or network is gone without a word', async () => {
    const [row] = await (await open().connect()).query(
      `SELECT current_setting('tcp_keepalives_idle')::int idle, current_setting('tcp_keepalives_interval')::int apart,
              current_setting('tcp_keepalives_count')::int tries`,
    );
    const { idle, apart, tries } = row as Readonly<Record<'idle' | 'apart' | 'tries', number>>;
    expect(idle + apart * tries).toBe(600);
  });

  it('sets the role that it is told to, however it is written', async () => {
    const role = `we"ird, 'Role'`;
    await test.exec(`CREATE ROLE "${role.replaceAll('"', '""')}"`);
    const database = open({ role });
    const session = await database.connect();
    expect(await session.query('SELECT current_user::text AS name')).toEqual([{ name: role }]);
    await database.close();
    await test.exec(`DROP ROLE "${role.replaceAll('"', '""')}"`);
    expect((await failure(test.url, { role })).options.remedy).toContain('--role');
  });

  it('says of a role that it may not become that it lacks the membership, not the right to connect', async () => {
    const login = `stranger_${process.pid}`;
    await test.exec(`CREATE ROLE ${login} LOGIN`);
    const refused = await failure(test.urlFor(login), { role: 'postgres' });
    await test.exec(`DROP ROLE ${login}`);
    expect(refused).toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining('set role') });
    expect(refused.options.remedy).toBe('GRANT that role to the one that connects, or name another with --role');
  });

  it('gives values as the embedded PostgreSQL does', async () => {
    const session = await open().connect();
    const [row] = await session.query(
      `SELECT 1::bigint AS big, 2.50::numeric AS number, 3 AS small, true AS yes, '{"a": [1]}'::jsonb AS json,
         '2024-01-02 03:04:05+02'::timestamptz AS at, '{a,NULL}'::text[] AS texts, '{7}'::bigint[] AS bigs,
         $1::text[] AS given, $2::bigint AS wide, $3::jsonb AS object`,
      [['x', null, 'y"z'], 8n, { q: 1 }],
    );
    expect(row).toEqual({
      big: '1',
      number: '2.50',
      small: 3,
      yes: true,
      json: { a: [1] },
      at: '2024-01-02 01:04:05+00',
      texts: ['a', null],
      bigs: ['7'],
      given: ['x', null, 'y"z'],
      wide: '8',
      object: { q: 1 },
    });
  });

  it('gives errors with SQLSTATE and details, and goes on after them', async () => {
    const session = await open().connect();
    await session.query('CREATE TABLE public.once (id int CONSTRAINT once_key PRIMARY KEY)');
    await session.query('INSERT INTO public.once VALUES (1)');
    await expect(session.query('INSERT INTO public.once VALUES (1)')).rejects.toMatchObject({
      name: 'DatabaseError',
      code: '23505',
      details: { constraint: 'once_key', detail: expect.stringContaining('already exists') as string },
    });
    expect(await session.query('SELECT id FROM public.once')).toEqual([{ id: 1 }]);
  });

  it('S5: takes one statement and never a second behind it', async () => {
    const session = await open().connect();
    await expect(session.query('SELECT 1; SELECT 2')).rejects.toMatchObject({ code: '42601' });
    await expect(Promise.all([session.query('SELECT 1'), session.query('SELECT 2')])).rejects.toThrow(/one statement/);
  });

  it('survives the end of its connection, in a statement and between two', async () => {
    const database = open({ maxSessions: 2 });
    const idle = await database.connect();
    const busy = await database.connect();
    const pids = [await processId(idle), await processId(busy)];
    const asleep = busy.query('SELECT pg_sleep(30)').catch((error: unknown) => error);
    await test.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [pids]);
    expect(await asleep).toMatchObject({ name: 'DatabaseError', code: '57P01' });
    await expect.poll(() => idle.query('SELECT 1').catch((error: unknown) => error)).toMatchObject({ code: '57P01' });
    await expect(busy.query('SELECT 1')).rejects.toMatchObject({
      name: 'DatabaseError',
      code: expect.stringMatching(/08006|57P01/),
    });
    await Promise.all([idle.close(), busy.close()]);
    expect(await processId(await database.connect())).not.toBe(pids[0]);
  });

  it('keeps a long statement that comes again, in whichever session its connection has, and no other', async () => {
    const database = open();
    const kept = 'SELECT name, statement FROM pg_catalog.pg_prepared_statements WHERE $1::int4 > 0';
    for (let time = 0; time < 2; time += 1) {
      const session = await database.connect();
      expect(await session.query('SELECT $1::int4 n', [1])).toEqual([{ n: 1 }]);
      for (let again = 0; again < 2; again += 1)
        expect(await session.query(kept, [1], { kept: true })).toEqual([
          { name: expect.stringMatching(/^trueup_[0-9a-f]{32}$/u), statement: kept },
        ]);
      await session.release();
    }
  });

  it('R2: is one of no more than are allowed; the next waits', async () => {
    const database = open({ maxSessions: 2 });
    const first = await database.connect();
    await database.connect();
    let third: Session | null = null;
    const waiting = database.connect().then((session) => {
      third = session;
    });
    await first.query('SELECT pg_sleep(0.1)');
    expect(third).toBeNull();
    await first.close();
    await first.close();
    await waiting;
    const counted = await test.query(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'trueup' AND datname = current_database()",
    );
    expect(counted).toEqual([{ n: 2 }]);
  });

  it('ends a statement that is under way when it is closed', async () => {
    const session = await open().connect();
    const asleep = session.query('SELECT pg_sleep(30)').catch((error: unknown) => error);
    await session.close();
    expect(await asleep).toMatchObject({ code: '08006' });
    await expect(session.query('SELECT 1')).rejects.toMatchObject({ code: '08006' });
  });

  it('is opened by statements that go along with BEGIN, and is not begun where one of them fails', async () => {
    const session = await open().connect();
    const opening = ["SELECT set_config('work_mem', '1234kB', true) memory", 'SELECT 1 n'];
    const opened = await inTransaction(
      session,
      'read only',
      async (rows) => [rows, await session.query("SELECT current_setting('work_mem') memory")],
      opening,
    );
    expect(opened).toEqual([[[{ memory: '1234kB' }], [{ n: 1 }]], [{ memory: '1234kB' }]]);
    let ran = false;
    const failing = inTransaction(session, 'read write', async () => (ran = true), ['SELECT 1/0']);
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    expect([ran, await session.query('SELECT 2 n')]).toEqual([false, [{ n: 2 }]]);
  });

  it('rolls back what fails, and sees one snapshot', async () => {
    const session = await open().connect();
    const failing = inTransaction(session, 'read write', () => session.query('SELECT 1/0'));
    await expect(failing).rejects.toMatchObject({ code: '22012' });
    await inTransaction(session, 'read only snapshot', async () => {
      await session.query('SELECT 1');
      await test.exec('CREATE TABLE public.meanwhile ()');
      const seen = await session.query("SELECT FROM pg_class WHERE relname = 'meanwhile'");
      expect(seen).toHaveLength(0);
      await expect(session.query('CREATE TABLE public.mine ()')).rejects.toMatchObject({ code: '25006' });
    });
  });
});

describe('a connection that cannot be made', () => {
  it.each([
    [
      'a missing database',
      (url: URL) => {
        url.pathname = '/no_such_database';
      },
      '3D000',
      /does not exist/,
    ],
    [
      'a missing role',
      (url: URL) => {
        url.username = 'no_such_role';
      },
      '28000',
      /does not exist/,
    ],
    [
      'no server',
      (url: URL) => {
        url.port = '1';
      },
      '08001',
      /ECONNREFUSED/,
    ],
    [
      'no host',
      (url: URL) => {
        url.hostname = 'no-host.invalid';
      },
      '08001',
      /no-host\.invalid/,
    ],
    [
      'a server without TLS',
      (url: URL) => {
        url.search = '?sslmode=require';
      },
      '08001',
      /does not support SSL/,
    ],
  ])('R13: says where and why and what to do, without the password: %s', async (_, change, code, reason) => {
    const error = await failure(changed(change));
    expect(error.code).toBe('CONNECTION_FAILED');
    expect(error.message).toMatch(reason);
    expect(error.options.where).toBe('--database-url');
    expect(error.options.remedy).toBeTruthy();
    expect(error.cause).toMatchObject({ name: 'DatabaseError', code });
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('secretpw');
  });

  it('is given up in time when nobody answers', async () => {
    const silent: Server = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const error = await failure(`postgresql://u@127.0.0.1:${port}/d?connect_timeout=1`);
    expect(error.message).toContain('no answer in time');
    silent.close();
  });

  it('asks a server that has no TLS for it once, not with every session', async () => {
    const proxy = await startProxy(Number(new URL(test.url).port));
    try {
      const through = changed((url) => {
        url.port = String(proxy.port);
        url.searchParams.set('sslmode', 'prefer');
      });
      const database = open({ maxSessions: 3 }, through);
      for (const connections of [2, 3, 4]) {
        await database.connect();
        expect(proxy.taken).toBe(connections);
      }
    } finally {
      await proxy.close();
    }
  });

  it('is told by what the server says of the role, though it had let that in before, without TLS', async () => {
    await test.exec('CREATE ROLE "no longer" LOGIN');
    const database = open({ maxSessions: 2 }, test.urlFor('no longer'));
    await database.connect();
    await test.exec('ALTER ROLE "no longer" NOLOGIN');
    await expect(database.connect()).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('role "no longer" is not permitted to log in'),
      options: { remedy: expect.stringContaining('check the user') },
    });
  });

  it('says which limits may be raised where a role has all the sessions that it may have', async () => {
    await test.exec('CREATE ROLE "one at once" LOGIN CONNECTION LIMIT 1');
    const database = open({ maxSessions: 2 }, test.urlFor('one at once'));
    await database.connect();
    await expect(database.connect()).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('too many connections for role "one at once"'),
      options: { remedy: expect.stringContaining('that of the role or database') },
    });
  });

  it('leaves its place to the next', async () => {
    const database = open(
      {},
      changed((url) => {
        url.pathname = '/no_such_database';
      }),
    );
    await expect(database.connect()).rejects.toThrow(TrueupError);
    await expect(database.connect()).rejects.toThrow(TrueupError);
  });
});
