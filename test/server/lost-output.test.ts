import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SmallFleet, smallFleet } from '../support/small-fleet.js';
import { temporaryDirectory } from '../support/temporary.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const TENANTS = Array.from({ length: 30 }, (_, at) => `t${at + 1}`);

let test: TestDatabase;
let files: SmallFleet;

beforeAll(() => {
  files = smallFleet();
});
beforeEach(async () => {
  test = await createTestDatabase();
  await test.exec(TENANTS.map((schema) => files.tenant(schema, 1)).join('\n'));
});
afterEach(() => test?.drop());
afterAll(() => files?.remove());

/** Runs the program from a shell, which sends its output somewhere (`"$OUT"` is a file) and may set limits before. */
function run(shell: (program: string) => string, argv: readonly string[]) {
  const out = join(temporaryDirectory('lost-output'), 'out');
  const script = shell('"$NODE" "$PROGRAM" "$@"');
  const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', ...argv, '--desired-state', files.directory], {
    encoding: 'utf8',
    env: { ...process.env, TRUEUP_DATABASE_URL: test.url, NODE: process.execPath, PROGRAM, OUT: out },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return { status, stderr, out: existsSync(out) ? readFileSync(out, 'utf8') : '' };
}

const built = async (): Promise<number> => {
  const [row] = await test.query<{ n: number }>(`SELECT count(*)::int AS n FROM pg_class WHERE relname = 'notes_slow'`);
  return row?.n ?? 0;
};

describe('an apply whose output cannot be written', { timeout: 120_000 }, () => {
  it('goes on to its end when there is no more room half way, says so once, and ends with 6', async () => {
    const argv = ['apply', '--yes', '--events', '--quiet'];
    const ended = run((program) => `ulimit -f 8; exec ${program} >"$OUT"`, argv);
    expect(ended.out).toContain('"kind":"run-started"');
    expect(ended.out).not.toContain('"kind":"run-finished"');
    expect(ended.stderr.match(/code: OUTPUT_NOT_WRITTEN/gu)).toHaveLength(1);
    expect(ended.status).toBe(6);
    expect(await built()).toBe(TENANTS.length);
  });

  it.runIf(process.platform === 'linux').each(['>/dev/full', '>/dev/full 2>&1', '2>/dev/full >"$OUT"'])(
    'writes its report, and ends with 6: %s',
    async (where) => {
      const report = join(temporaryDirectory('lost-output'), 'apply.html');
      const argv = ['apply', '--yes', '--log-level', 'info', '--report', report];
      const ended = run((program) => `exec ${program} ${where}`, argv);
      expect(ended.status).toBe(6);
      // Not the page itself, which a failure would print.
      expect(readFileSync(report, 'utf8').includes('30 of 30 tenants converged')).toBe(true);
      expect(await built()).toBe(TENANTS.length);
    },
  );

  it.runIf(process.platform === 'linux')('keeps a worse code', async () => {
    await test.exec('DROP TABLE t1.notes; CREATE VIEW t1.notes AS SELECT 1 AS id');
    const argv = ['apply', '--yes', '--schema', 't1', '--schema', 't2'];
    expect(run((program) => `exec ${program} >/dev/full`, argv).status).toBe(3);
    expect(await built()).toBe(1);
  });

  it.runIf(process.platform === 'linux')(
    'saves a plan all the same, and ends with 1, for nothing is changed',
    async () => {
      const saved = join(temporaryDirectory('lost-output'), 'fleet.plan');
      const ended = run((program) => `exec ${program} >/dev/full`, ['plan', '--json', '--out', saved]);
      expect(ended.status).toBe(1);
      expect(run((program) => `exec ${program} >"$OUT"`, ['apply', saved]).status).toBe(0);
      expect(await built()).toBe(TENANTS.length);
    },
  );
});
