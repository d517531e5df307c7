import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../src/database/embedded-database.js';
import { EMBEDDED_MAJOR, realDirectory, takeDirectory } from '../../src/database/embedded-directory.js';
import type { Database } from '../../src/database/session.js';
import { inTransaction } from '../../src/database/transaction.js';

describe('the embedded PostgreSQL', () => {
  let database: Database;
  const sent: string[] = [];

  beforeAll(async () => {
    database = await openEmbedded(null, { id: 'main', observe: ({ sql }) => sent.push(sql) });
  });
  afterAll(() => database.close());

  it('is of the version that its data directories are checked for', async () => {
    const session = await database.connect();
    expect(String(session.serverVersion).slice(0, -4)).toBe(EMBEDDED_MAJOR);
    expect(session.embedded).toBe(true);
    await session.close();
  });

  it('gives values as a server does, and pins its settings', async () => {
    const session = await database.connect();
    const [row] = await session.query(
      `SELECT 1::bigint AS big, 2.50::numeric AS number, 3 AS small, true AS yes, '{"a": [1]}'::jsonb AS json,
         '2024-01-02 03:04:05+02'::timestamptz AS at, '{a,NULL}'::text[] AS texts, '{1,2}'::int[] AS numbers,
         '{7}'::bigint[] AS bigs, $1::text[] AS given, current_setting('search_path') AS path`,
      [['x', null, 'y"z']],
    );
    expect(row).toEqual({
      big: '1',
      number: '2.50',
      small: 3,
      yes: true,
      json: { a: [1] },
      at: '2024-01-02 01:04:05+00',
      texts: ['a', null],
      numbers: [1, 2],
      bigs: ['7'],
      given: ['x', null, 'y"z'],
      path: '',
    });
    await session.close();
  });

  it('gives errors with their SQLSTATE, and takes one statement at a time', async () => {
    const session = await database.connect();
    await expect(session.query('SELECT 1/0')).rejects.toMatchObject({ name: 'DatabaseError', code: '22012' });
    await expect(session.query('SELECT 1; SELECT 2')).rejects.toMatchObject({ code: '42601' });
    await session.close();
  });

  it('has one session: the next waits, and finds nothing of the one before', async () => {
    const first = await database.connect();
    await first.query("SELECT set_config('TimeZone', 'Asia/Tokyo', false), pg_advisory_lock(5)");
    await first.query('BEGIN');
    await first.query('CREATE TABLE public.unfinished ()');
    const second = database.connect();
    expect(await Promise.race([second, Promise.resolve('waits')])).toBe('waits');
    await first.close();
    const session = await second;
    const [row] = await session.query(
      `SELECT current_setting('TimeZone') AS zone, to_regclass('public.unfinished') AS made,
         (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks`,
    );
    expect(row).toEqual({ zone: 'UTC', made: null, locks: 0 });
    await expect(first.query('SELECT 1')).rejects.toMatchObject({ code: '08006' });
    await session.close();
  });

  it('sends one statement to begin a session', async () => {
    sent.length = 0;
    await (await database.connect()).close();
    expect(sent).toHaveLength(1);
  });

  it('brings vector, pg_trgm and pg_textsearch', async () => {
    const session = await database.connect();
    const rows = await session.query(
      "SELECT name FROM pg_available_extensions WHERE name IN ('vector', 'pg_trgm', 'pg_textsearch')",
    );
    expect(rows).toHaveLength(3);
    await session.close();
  });

  it('rolls a transaction back on an error, which wins', async () => {
    const session = await database.connect();
    const failing = inTransaction(session, 'read write', async () => {
      await session.query('CREATE TABLE public.half ()');
      await session.query('SELECT 1/0').catch(() => {});
      throw new Error('the original');
    });
    await expect(failing).rejects.toThrow('the original');
    const writing = inTransaction(session, 'read only snapshot', () => session.query('CREATE TABLE public.half ()'));
    await expect(writing).rejects.toMatchObject({ code: '25006' });
    expect(await session.query("SELECT to_regclass('public.half') AS half")).toEqual([{ half: null }]);
    expect(await inTransaction(session, 'read write', async () => 'done')).toBe('done');
    await session.close();
  });

  it('makes transactions one by one, up to the first that fails', async () => {
    const session = await database.connect();
    const making = (table: string, ...more: readonly string[]) => [
      'BEGIN',
      `CREATE TABLE public.${table} ()`,
      ...more,
      'COMMIT',
    ];
    const { made, error } = await session.transactions([making('whole'), making('part', 'SELECT 1/0'), making('none')]);
    expect([made, error?.code]).toEqual([1, '22012']);
    await session.query('ROLLBACK');
    expect(
      await session.query(
        "SELECT to_regclass('public.whole')::text a, to_regclass('public.part') b, to_regclass('public.none') c",
      ),
    ).toEqual([{ a: 'public.whole', b: null, c: null }]);
    expect(await session.transactions([['BEGIN', 'DROP TABLE public.whole', 'COMMIT']])).toEqual({
      made: 1,
      error: null,
    });
    await session.close();
  });
});

describe('the directory of an embedded database', () => {
  const root = mkdtempSync(join(tmpdir(), 'trueup-embedded-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const directory = (name: string, files: Record<string, string>): string => {
    mkdirSync(join(root, name), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(root, name, file), text);
    return join(root, name);
  };

  it('belongs to one user at a time', () => {
    const path = join(root, 'new', 'data');
    const give = takeDirectory(path);
    expect(() => takeDirectory(path)).toThrow(/in use by this process/);
    give();
    takeDirectory(path)();
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('is not taken from a living process, nor from one of another machine; a dead one holds nothing', () => {
    const path = directory('held', {});
    writeFileSync(`${path}.lock`, `${process.ppid}\n${hostname()}\n`);
    expect(() => takeDirectory(path)).toThrow(/in use by process/);
    writeFileSync(`${path}.lock`, '1\nanother-machine\n');
    expect(() => takeDirectory(path)).toThrow(/another-machine/);
    writeFileSync(`${path}.lock`, `999999999\n${hostname()}\n`);
    takeDirectory(path)();
  });

  it('is the same one, and has one lock, by whatever links a path leads there', async () => {
    const path = directory('linked', {});
    const link = join(root, 'link');
    symlinkSync(path, link);
    expect(realDirectory(link)).toBe(realpathSync(path));
    expect(realDirectory(join(link, 'not', 'there'))).toBe(join(realpathSync(path), 'not', 'there'));
    const give = takeDirectory(realDirectory(path));
    await expect(openEmbedded(link, { id: 'main' })).rejects.toThrow(/in use by this process/);
    give();
  });

  it('that cannot be read or made is refused, and no bug', () => {
    const path = directory('unreadable', {});
    mkdirSync(join(path, 'PG_VERSION'));
    const below = join(directory('file', { 'letter.txt': '' }), 'letter.txt', 'data');
    for (const unusable of [path, below])
      expect(() => takeDirectory(unusable)).toThrow(
        expect.objectContaining({ code: 'CONNECTION_FAILED', message: expect.stringContaining('cannot be used') }),
      );
  });

  it('must be empty, or hold data of the same version that no server runs on', () => {
    expect(() => takeDirectory(directory('other', { 'letter.txt': '' }))).toThrow(/other files/);
    expect(() => takeDirectory(directory('old', { PG_VERSION: '15\n' }))).toThrow(/PostgreSQL 15/);
    expect(() => takeDirectory(join(root, 'other', 'letter.txt'))).toThrow(/not a directory/);
    const files = { PG_VERSION: `${EMBEDDED_MAJOR}\n`, 'postmaster.pid': `${process.ppid}\n` };
    expect(() => takeDirectory(directory('served', files))).toThrow(/server/);
    takeDirectory(directory('left', { ...files, 'postmaster.pid': '-42\n' }))();
  });
});
