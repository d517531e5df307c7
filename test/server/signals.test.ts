import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ApplyDocument } from '../../src/report/apply-json.js';
import { type CuttableProxy, startProxy } from '../support/chaos/proxy.js';
import { type SmallFleet, smallFleet } from '../support/small-fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
/** A build of more than a second on a quiet machine. */
const ROWS = 5000;

let test: TestDatabase;
let files: SmallFleet;
const running = new Set<ChildProcess>();

beforeAll(() => {
  files = smallFleet();
});
beforeEach(async () => {
  test = await createTestDatabase();
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  await test?.drop();
});
afterAll(() => files?.remove());

/** An apply in a process of its own; its events come on standard error, its document on standard output. */
function apply(argv: readonly string[] = [], url = test.url) {
  const options = ['--yes', '--json', '--events', '--desired-state', files.directory];
  const child = spawn(process.execPath, [PROGRAM, 'apply', ...options, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TRUEUP_DATABASE_URL: url },
  });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ code: number | null; document: ApplyDocument; stderr: string; at: number }>((resolve) => {
    child.once('close', (code) => {
      const at = performance.now();
      resolve({ code, document: JSON.parse(stdout || '{}') as ApplyDocument, stderr, at });
    });
  });
  return { child, ended, stderr: () => stderr };
}

/** Waits until a server process of the run builds an index. */
async function building(): Promise<void> {
  for (let left = 400; left > 0; left -= 1) {
    const [row] = await test.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_progress_create_index
        WHERE datname = current_database() AND phase LIKE 'building index%'`,
    );
    if ((row?.n ?? 0) > 0) return;
    await sleep(50);
  }
  throw new Error('no index was being built');
}

const backends = async (): Promise<number> => {
  const [row] = await test.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
  );
  return row?.n ?? 0;
};

const indexes = () =>
  test.query<{ schema: string; name: string; valid: boolean }>(
    `SELECT n.nspname AS schema, c.relname AS name, i.indisvalid AS valid
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname LIKE 't_' AND c.relname <> 'notes_pkey' ORDER BY 1, 2`,
  );

const outcomes = (document: ApplyDocument) =>
  Object.fromEntries(document.tenants.map(({ schema, outcome }) => [schema, outcome]));

describe('Ctrl-C', { timeout: 120_000 }, () => {
  it('R11: once finishes what is in flight, reports what is left, and ends with 130; the next run does the rest', async () => {
    await test.exec(['t1', 't2', 't3'].map((schema) => files.tenant(schema, ROWS)).join('\n'));
    const run = apply();
    await building();
    run.child.kill('SIGINT');
    const { code, document, stderr } = await run.ended;
    expect(code).toBe(130);
    expect(document).toMatchObject({ ended: 'SIGINT', interrupted: 'SIGINT', summary: { tenants: 3 } });
    expect(outcomes(document)).toEqual({ t1: 'converged', t2: 'not-attempted', t3: 'not-attempted' });
    expect(document.summary).toMatchObject({ converged: 1, notAttempted: 2, failed: 0 });
    expect(document.retryCommand).toMatch(/ apply --yes --json --events --desired-state /u);
    expect(stderr).toContain('SIGINT: nothing new is begun');
    expect(stderr).toContain('"kind":"draining","reason":"SIGINT"');
    expect(await indexes()).toEqual([{ schema: 't1', name: 'notes_slow', valid: true }]);

    await test.exec('DELETE FROM t2.notes WHERE id > 10');
    const again = await apply(['--exclude-schema', 't3']).ended;
    expect([again.code, outcomes(again.document)]).toEqual([0, { t2: 'converged' }]);
  });

  it('R11: twice stops at once: nothing goes on on the server, and the next run converges', async () => {
    await test.exec(['t1', 't2'].map((schema) => files.tenant(schema, ROWS * 8)).join('\n'));
    const run = apply();
    await building();
    run.child.kill('SIGINT');
    await sleep(500);
    const at = performance.now();
    run.child.kill('SIGINT');
    const end = await run.ended;
    expect(end.at - at).toBeLessThan(5000);
    expect(end.code).toBe(130);
    expect(end.document).toMatchObject({ ended: 'SIGINT', summary: { converged: 0 } });
    expect(end.document.summary.failed + end.document.summary.notAttempted).toBe(2);
    for (let left = 60; left > 0 && (await backends()) > 0; left -= 1) await sleep(50);
    expect(await backends()).toBe(0);

    await test.exec('DELETE FROM t1.notes WHERE id > 100; DELETE FROM t2.notes WHERE id > 100');
    expect((await apply().ended).code).toBe(0);
    expect((await indexes()).map(({ schema, name, valid }) => [schema, name, valid])).toEqual([
      ['t1', 'notes_slow', true],
      ['t2', 'notes_slow', true],
    ]);
  });
});

describe('SIGTERM', { timeout: 120_000 }, () => {
  it('R17: lets a build end that ends within --drain-timeout, and ends with 143', async () => {
    await test.exec(['t1', 't2'].map((schema) => files.tenant(schema, ROWS)).join('\n'));
    const run = apply(['--drain-timeout', '50s']);
    await building();
    run.child.kill('SIGTERM');
    const { code, document } = await run.ended;
    expect([code, document.interrupted, outcomes(document)]).toEqual([
      143,
      'SIGTERM',
      { t1: 'converged', t2: 'not-attempted' },
    ]);
  });

  it('R17: cancels a build that does not, and leaves no index behind that is not valid', async () => {
    await test.exec(files.tenant('t1', ROWS * 8));
    const run = apply(['--drain-timeout', '500ms']);
    await building();
    const at = performance.now();
    run.child.kill('SIGTERM');
    const end = await run.ended;
    expect(end.at - at).toBeGreaterThan(400);
    expect(end.at - at).toBeLessThan(6000);
    expect(end.code).toBe(143);
    expect(end.document).toMatchObject({ ended: 'SIGTERM', summary: { converged: 0 } });
    expect(await indexes()).toEqual([]);
  });
});

describe('behind a network that swallows everything', { timeout: 120_000 }, () => {
  let proxy: CuttableProxy;
  let through: string;
  beforeEach(async () => {
    const url = new URL(test.url);
    proxy = await startProxy(Number(url.port));
    url.port = String(proxy.port);
    through = url.href;
    await test.exec(['t1', 't2'].map((schema) => files.tenant(schema, ROWS * 8)).join('\n'));
  });
  afterEach(() => proxy.close());

  it.each(['1', '4'])('SIGTERM ends a run of %s connections in time, and it still reports', async (connections) => {
    const run = apply(['--drain-timeout', '300ms', '--concurrency', connections], through);
    await building();
    proxy.stall();
    const at = performance.now();
    run.child.kill('SIGTERM');
    const end = await Promise.race([run.ended, sleep(20_000, null)]);
    expect(end?.code, 'it did not end').toBe(143);
    expect((end?.at ?? 0) - at).toBeLessThan(8000);
    expect(end?.document).toMatchObject({ ended: 'SIGTERM', summary: { tenants: 2, notAttempted: 2 } });
    expect(end?.document.tenants.flatMap(({ changes }) => changes.map(({ result }) => result))).toContain('in-doubt');
  });

  it('a run that waits for a server which went away ends at Ctrl-C, and still reports', async () => {
    const run = apply(['--lock-wait', '60s'], through);
    await building();
    await proxy.close();
    await expect.poll(() => run.stderr().includes('"kind":"retry"'), { timeout: 10_000 }).toBe(true);
    const at = performance.now();
    run.child.kill('SIGINT');
    const end = await Promise.race([run.ended, sleep(20_000, null)]);
    expect(end?.code, 'it did not end').toBe(130);
    expect((end?.at ?? 0) - at).toBeLessThan(15_000);
    expect(end?.document).toMatchObject({ ended: 'SIGINT', summary: { tenants: 2, notAttempted: 2 } });
  });
});
