import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ApplyDocument } from '../../src/report/apply-json.js';
import type { PlanDocument } from '../../src/report/plan-json.js';
import { itemsMember, shopState, shopTenant } from '../support/shop-fleet.js';
import { type SmallFleet, smallFleet } from '../support/small-fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
/** A build of about a second on a quiet machine. */
const ROWS = 4000;
/** The mode of a file that is nobody's secret. */
const OPEN = 0o644 & ~process.umask();

let database: TestDatabase;
let files: SmallFleet;
let work: string;
const running = new Set<ReturnType<typeof spawn>>();

beforeAll(() => {
  files = smallFleet();
});
afterAll(() => files?.remove());
beforeEach(async () => {
  database = await createTestDatabase();
  work = mkdtempSync(join(tmpdir(), 'trueup-report-'));
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  rmSync(work, { recursive: true, force: true });
  await database?.drop();
});

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built program, in the directory of the test. */
function started(argv: readonly string[], directory = files.directory) {
  const child = spawn(process.execPath, [PROGRAM, ...argv, '--quiet', '--desired-state', directory], {
    cwd: work,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TRUEUP_DATABASE_URL: database.url },
    timeout: 50_000,
  });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Run>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  return { child, ended };
}

const trueup = (argv: readonly string[], directory?: string): Promise<Run> => started(argv, directory).ended;

const page = (name = 'report.html'): string => readFileSync(join(work, name), 'utf8');
const heading = (): string => /<h1>([^<]*)</u.exec(page())?.[1] ?? '';
const mode = (name = 'report.html'): number => statSync(join(work, name)).mode & 0o777;

/** Waits until a page says that apply has begun, and until it builds. */
async function building(): Promise<void> {
  for (let left = 400; left > 0; left -= 1) {
    const [row] = await database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_progress_create_index
        WHERE datname = current_database() AND phase LIKE 'building index%'`,
    );
    if ((row?.n ?? 0) > 0) return;
    await sleep(50);
  }
  throw new Error('no index was being built');
}

describe('plan --report', () => {
  it('writes the page beside the text, the document or the script, and leaves nothing else behind', async () => {
    await database.exec(['t1', 't2'].map((schema) => files.tenant(schema, 10)).join('\n'));
    const text = await trueup(['plan', '--report', 'report.html']);
    expect([text.code, text.stderr]).toEqual([0, '']);
    expect(text.stdout).toMatch(/\nReport: report\.html\n$/u);
    expect(heading()).toBe('2 of 2 tenants need changes');
    expect(page()).toContain('<span class="k">CREATE</span> <span class="k">INDEX</span>');
    expect(mode()).toBe(OPEN);

    const json = await trueup(['plan', '--json', '--report', 'report.html', '--out', 'plan.json']);
    expect((JSON.parse(json.stdout) as PlanDocument).summary.tenants).toBe(2);
    expect(page()).toContain((JSON.parse(json.stdout) as PlanDocument).planId);
    const script = await trueup(['plan', '--sql', '--report', 'script.html']);
    expect(script.stdout).not.toContain('Report');
    expect(page('script.html')).toContain('2 of 2 tenants need changes');
    expect(readdirSync(work).sort()).toEqual(['plan.json', 'report.html', 'script.html']);
  });

  it('holds values of rows with --show-values alone, and is its owner’s then (S2)', async () => {
    const state = shopState();
    await database.exec(`${shopTenant('t1', ["o'brien & sons"])} DROP INDEX t1."${itemsMember("o'brien & sons")}";`);
    expect((await trueup(['plan', '--report', 'report.html'], state)).code).toBe(0);
    expect(heading()).toBe('1 of 1 tenant needs changes');
    expect(page()).not.toMatch(/brien/u);
    await trueup(['plan', '--show-values', '--report', 'report.html'], state);
    expect(page()).toContain('o&#39;brien &amp; sons');
    expect(mode()).toBe(0o600);
  });

  it('refuses a file that is no report before it looks at the database', async () => {
    writeFileSync(join(work, 'notes.html'), '<!doctype html>\n<p>mine');
    await database.drop();
    const run = await trueup(['plan', '--report', 'notes.html']);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('notes.html is there already, and is no report of trueup');
    expect(run.stderr).toContain('code: OUTPUT_NOT_WRITTEN');
    expect(page('notes.html')).toBe('<!doctype html>\n<p>mine');
  });
});

describe('apply --report', { timeout: 120_000 }, () => {
  it('writes what it did', async () => {
    await database.exec(['t1', 't2'].map((schema) => files.tenant(schema, 10)).join('\n'));
    const run = await trueup(['apply', '--yes', '--report', 'report.html']);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toMatch(/\nReport: report\.html\n$/u);
    expect(heading()).toBe('2 of 2 tenants converged');
    expect(page()).toContain('applied in 2 tenants');
  });

  it('leaves the plan’s page, and says that nothing is applied, when nobody confirms', async () => {
    await database.exec(files.tenant('t1', 10));
    const run = await trueup(['apply', '--report', 'report.html']);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('CONFIRMATION_REQUIRED');
    expect(page()).toContain('<strong>Not applied yet.</strong>');
    expect(heading()).toBe('1 of 1 tenant needs changes');
  });

  it('tells of a run that was interrupted what it did and what it did not begin', async () => {
    await database.exec(['t1', 't2'].map((schema) => files.tenant(schema, ROWS)).join('\n'));
    const run = started(['apply', '--yes', '--json', '--report', 'report.html']);
    await building();
    expect(page()).toContain('<strong>Apply has begun, and its end is not known.</strong>');
    run.child.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect((JSON.parse(stdout) as ApplyDocument).summary).toMatchObject({ converged: 1, notAttempted: 1 });
    expect(heading()).toBe('1 of 2 tenants converged');
    expect(page()).toContain('<strong>Apply ended early.</strong> It was interrupted by SIGINT');
    expect(page()).toContain('apply --yes --json --report report.html');
  });

  it('leaves a page that does not pretend to know the end of a run that was killed', async () => {
    await database.exec(files.tenant('t1', ROWS));
    const run = started(['apply', '--yes', '--report', 'report.html']);
    await building();
    run.child.kill('SIGKILL');
    await run.ended;
    expect(page()).toContain('<strong>Apply has begun, and its end is not known.</strong>');
    expect(heading()).toBe('1 of 1 tenant needs changes');
  });

  it('tells what it did, and exits with 6, when the page cannot be written at the end', async () => {
    await database.exec(files.tenant('t1', ROWS));
    mkdirSync(join(work, 'gone'));
    const run = started(['apply', '--yes', '--report', 'gone/report.html']);
    await building();
    rmSync(join(work, 'gone'), { recursive: true });
    const { code, stdout, stderr } = await run.ended;
    expect(code).toBe(6);
    expect(stdout).toContain('Apply: 1 tenant converged');
    expect(stdout).not.toContain('Report:');
    expect(stderr).toMatch(/gone\/report\.html cannot be written: .*: the report is not of this run's end/u);
    expect(existsSync(join(work, 'gone'))).toBe(false);
  });
});
