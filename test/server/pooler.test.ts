import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectServer } from '../../src/database/pg-database.js';
import { refuseSharedBackends } from '../../src/database/pooler.js';
import type { Database, Session } from '../../src/database/session.js';
import { resolveTarget } from '../../src/database/target.js';
import { TrueupError } from '../../src/trueup-error.js';
import { itemsTenant, writeItems } from '../support/items.js';
import { type PoolMode, startPgBouncer, type TestPgBouncer } from '../support/pgbouncer.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FEW = [1, 2, 3, 4].flatMap((at) => ['--schema', `tenant_few_${at}`]);
const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

let test: TestDatabase;
const opened: Database[] = [];
const poolers: TestPgBouncer[] = [];

beforeAll(async () => {
  test = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()));
  await Promise.all(poolers.splice(0).map((pooler) => pooler.stop()));
});
afterAll(() => test.drop());

async function pooler(mode: PoolMode, settings: Readonly<Record<string, string>> = {}): Promise<string> {
  const started = await startPgBouncer(test.url, mode, settings);
  poolers.push(started);
  return started.url;
}

/** A keeper and others, as apply opens them. */
async function sessions(url: string, others: number): Promise<readonly [Session, readonly Session[]]> {
  const target = resolveTarget({ databaseUrl: url, environment: {}, variables: [] });
  if (target.kind !== 'server') throw new Error('not a server');
  const database = connectServer(target, { id: 'main', maxSessions: others + 1 });
  opened.push(database);
  const first = await database.connect();
  const rest: Session[] = [];
  for (let at = 0; at < others; at += 1) rest.push(await database.connect());
  return [first, rest];
}

async function refusal(url: string, others: number): Promise<TrueupError> {
  const [first, rest] = await sessions(url, others);
  try {
    await refuseSharedBackends(first, rest);
  } catch (error) {
    if (error instanceof TrueupError) return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('R7: backends that a pooler shares', () => {
  it.each([
    ['transaction mode', 'transaction', {}],
    ['transaction mode, backends handed out in turn', 'transaction', { server_round_robin: '1', min_pool_size: '5' }],
    ['transaction mode, one backend', 'transaction', { default_pool_size: '1' }],
    ['statement mode', 'statement', {}],
  ] as const)('are refused: %s', async (_, mode, settings) => {
    const url = await pooler(mode, settings);
    for (const others of [1, 3]) {
      const error = await refusal(url, others);
      expect(error.code).toBe('POOLER_SHARES_BACKENDS');
      expect(error.options.remedy).toMatch(/session mode.*PgBouncer.*5432 instead of 6543.*RDS Proxy/u);
    }
  });

  it('are refused where the first looks have shown nothing, because the application uses the pool too', async () => {
    const url = await pooler('transaction', { default_pool_size: '20' });
    // Each of ours begins with a backend of its own, since the others are taken at that moment.
    const [busy] = await sessions(url, 0);
    await busy.query('BEGIN');
    const [first] = await sessions(url, 0);
    await first.query('BEGIN');
    const [other] = await sessions(url, 0);
    await first.query('ROLLBACK');
    await busy.query('ROLLBACK');
    expect(first.pid).not.toBe(other.pid);
    await expect(refuseSharedBackends(first, [other])).rejects.toMatchObject({ code: 'POOLER_SHARES_BACKENDS' });
    await Promise.all([busy, first, other].map((session) => session.close()));
  });

  it('are not found in session mode, nor without a pooler, and nothing stays open', async () => {
    for (const url of [await pooler('session'), test.url]) {
      const [first, rest] = await sessions(url, 4);
      await refuseSharedBackends(first, rest);
      const open = await test.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'",
      );
      expect(open).toHaveLength(0);
    }
  });

  it('cannot be told with one connection: refused behind a pooler, and not otherwise', async () => {
    const error = await refusal(await pooler('session'), 0);
    expect(error.code).toBe('POOLER_SHARES_BACKENDS');
    expect(error.options.remedy).toContain('--concurrency 2');
    const [first] = await sessions(test.url, 0);
    await refuseSharedBackends(first, []);
  });

  it('are given back as they were: the application’s statements find its tables', async () => {
    const url = await pooler('transaction');
    await test.exec('CREATE TABLE public.theirs ()');
    const [first, rest] = await sessions(url, 1);
    await expect(refuseSharedBackends(first, rest)).rejects.toThrow(TrueupError);
    for (const session of [first, ...rest]) await session.close();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      expect((await client.query('SELECT * FROM theirs')).rows).toEqual([]);
      expect((await client.query('SHOW row_security')).rows).toEqual([{ row_security: 'on' }]);
    } finally {
      await client.end();
    }
  });
});

describe('R7: plan and apply, from the command line', () => {
  const items = writeItems();
  afterAll(() => items.remove());

  const apply = (url: string, schema: string, concurrency: number) =>
    run(url, ['apply', '--yes', '--schema', schema, '--concurrency', `${concurrency}`]);
  const plan = (url: string, schema: string) => run(url, ['plan', '--schema', schema]);

  async function run(url: string, parts: readonly string[]) {
    const ran = promisify(execFile)(process.execPath, [RUN, ...parts, '--json', '--desired-state', items.directory], {
      env: { PATH: process.env.PATH, TRUEUP_DATABASE_URL: url },
      timeout: 60_000,
    });
    return ran.then(
      ({ stdout }) => ({ code: 0, document: JSON.parse(stdout) as Record<string, unknown> }),
      (error: { code: number; stdout: string }) => ({
        code: error.code,
        document: JSON.parse(error.stdout) as Record<string, unknown>,
      }),
    );
  }
  const indexes = async (schema: string) =>
    (
      await test.query<{ name: string }>('SELECT indexname AS name FROM pg_indexes WHERE schemaname = $1 ORDER BY 1', [
        schema,
      ])
    ).map((row) => row.name);

  it.each(['transaction', 'statement'] as const)('apply refuses %s mode before any DDL', async (mode) => {
    const schema = `tenant_${mode}`;
    await test.exec(itemsTenant(schema, { rows: 10, without: ['items_name'] }));
    const { code, document } = await apply(await pooler(mode), schema, 2);
    expect(document).toMatchObject({ error: { code: 'POOLER_SHARES_BACKENDS' } });
    expect(code).toBe(1);
    expect(await indexes(schema)).toEqual(['items_note', 'items_pkey']);
  });

  it.each(['transaction', 'statement'] as const)('plan refuses %s mode too', async (mode) => {
    const schema = `planned_${mode}`;
    await test.exec(itemsTenant(schema, { without: ['items_name'] }));
    const { code, document } = await plan(await pooler(mode), schema);
    expect(document).toMatchObject({ error: { code: 'POOLER_SHARES_BACKENDS' } });
    expect(code).toBe(1);
  });

  it('plan works in session mode, though the pooler has no backend for a second session', async () => {
    await test.exec(itemsTenant('planned_session', { without: ['items_name'] }));
    const { code, document } = await plan(await pooler('session', { default_pool_size: '1' }), 'planned_session');
    expect(document).toMatchObject({ summary: { tenants: 1, drifted: 1 } });
    expect(code).toBe(0);
  });

  it('apply works in session mode with the backends that the pooler has, though --concurrency allows more', async () => {
    for (const at of [1, 2, 3, 4])
      await test.exec(itemsTenant(`tenant_few_${at}`, { rows: 10, without: ['items_name'] }));
    const url = await pooler('session', { default_pool_size: '2', query_wait_timeout: '20' });
    const { code, document } = await run(url, ['apply', '--yes', ...FEW, '--concurrency', '4']);
    expect(document).toMatchObject({ summary: { converged: 4 } });
    expect(code).toBe(0);
  });

  it('apply works in session mode', async () => {
    await test.exec(itemsTenant('tenant_session', { rows: 10, without: ['items_name'] }));
    const { code, document } = await apply(await pooler('session'), 'tenant_session', 2);
    expect(document).toMatchObject({ summary: { converged: 1 } });
    expect(code).toBe(0);
    expect(await indexes('tenant_session')).toEqual(['items_name', 'items_note', 'items_pkey']);
  });
});
