import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary.js';

const FIXTURE = fileURLToPath(new URL('fixture/bin/run.js', import.meta.url));
const TRUEUP = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const SHIPPED = fileURLToPath(new URL('../../desired-state', import.meta.url));

/** A device that is full whatever is written to it; only Linux has it. */
const FULL = '/dev/full';
const hasFull = process.platform === 'linux';
/** A program that turns in a circle does not end by itself; milliseconds. */
const PATIENCE = 30_000;

type Where = 'pipe' | typeof FULL;

function run(argv: readonly string[], to: { readonly stdout?: Where; readonly stderr?: Where }, program = FIXTURE) {
  const opened: number[] = [];
  const output = (where: Where = 'pipe') => {
    if (where === 'pipe') return where;
    const file = openSync(where, 'w');
    opened.push(file);
    return file;
  };
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], {
      encoding: 'utf8',
      stdio: ['ignore', output(to.stdout), output(to.stderr)],
      timeout: PATIENCE,
      killSignal: 'SIGKILL',
    });
    return { status, stdout, stderr };
  } finally {
    for (const file of opened) closeSync(file);
  }
}

const LOST = `Error: what was printed is lost, or a part of it: ENOSPC: no space left on device, write
  at standard output
  try: make room where it goes, or send it elsewhere, and run it again
  code: OUTPUT_NOT_WRITTEN
`;

describe.runIf(hasFull)('an output that is full', () => {
  it.each([
    [['sample', '--log-level', 'error']],
    [['sample', '--log-level', 'error', '--json']],
    [['--help']],
    [['--version']],
  ])('is said once, on standard error, and is an error: %j', (argv) => {
    const { status, stderr } = run(argv, { stdout: FULL });
    expect({ status, stderr }).toEqual({ status: 1, stderr: LOST });
  });

  it.each([[['validate', '--desired-state', SHIPPED]], [['completion', 'bash']]])('so of trueup itself: %j', (argv) => {
    const { status, stderr } = run(argv, { stdout: FULL }, TRUEUP);
    expect({ status, stderr }).toEqual({ status: 1, stderr: LOST });
  });

  it('is said as a line of JSON where the log is JSON', () => {
    const { stderr } = run(['sample', '--log-level', 'error', '--log-format', 'json'], { stdout: FULL });
    expect(JSON.parse(stderr)).toMatchObject({ level: 'error', error: { code: 'OUTPUT_NOT_WRITTEN' } });
  });

  it('is an error too where it is standard error, of which nobody can be told', () => {
    const { status, stdout } = run(['sample'], { stderr: FULL });
    expect({ status, stdout }).toEqual({ status: 1, stdout: 'in words\n' });
  });

  it('ends the program when it is both', () => {
    expect(run(['sample'], { stdout: FULL, stderr: FULL }).status).toBe(1);
  });

  it('does not hide the error whose document it could not take', () => {
    const { status, stderr } = run(['sample', '--end', 'known', '--json'], { stdout: FULL });
    expect(status).toBe(1);
    expect(stderr.match(/^ {2}code: .*$/gmu)).toEqual([
      '  code: OUTPUT_NOT_WRITTEN',
      '  code: NO_TENANT',
      '  code: UNKNOWN_SCHEMA',
    ]);
  });

  it.each(['known', 'bug', 'late'])('ends a program that has an error to tell: %s', (end) => {
    expect(run(['sample', '--end', end], { stdout: FULL, stderr: FULL }).status).toBe(1);
  });

  it('is no loss to a run that writes nothing there', () => {
    expect(run(['sample', '--log-level', 'error'], { stderr: FULL }).status).toBe(0);
  });

  it.each([
    [0, 6],
    [5, 5],
    [143, 143],
  ])('a run that changes databases and would end with %i ends with %i', (code, withLoss) => {
    const argv = ['sample', '--changes-databases', '--log-level', 'error', '--exit-code', String(code)];
    const { status, stderr } = run(argv, { stdout: FULL });
    expect(status).toBe(withLoss);
    expect(stderr).toContain('the run goes on to its end');
  });

  it.each([
    ['SIGINT', 'never', 130],
    ['SIGTERM', 'never', 143],
    ['SIGTERM', 'drained', 143],
  ] as const)('leaves a signal its effect: %s, %s', async (signal, end, code) => {
    const argv = ['sample', '--changes-databases', '--print-first', '--end', end, '--exit-code', String(code)];
    const full = openSync(FULL, 'w');
    const child = spawn(process.execPath, [FIXTURE, ...argv], { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      if (!text.includes('working') && `${text}${chunk}`.includes('working')) child.kill(signal);
      text += chunk;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(code);
    clearTimeout(timer);
    expect(text.match(/code: OUTPUT_NOT_WRITTEN/gu)).toHaveLength(1);
  });
});

describe('an output that takes a part', () => {
  it.skipIf(process.platform === 'win32')(
    'is an error, though the one write to it took what there was room for',
    () => {
      const file = join(temporaryDirectory('lost-output'), 'bash');
      const script = 'ulimit -f 2; exec "$0" "$1" completion bash >"$2"';
      const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, TRUEUP, file], { encoding: 'utf8' });
      expect(status).toBe(1);
      expect(stderr).toBe(LOST.replace('ENOSPC: no space left on device', 'EFBIG: file too large'));
      expect(readFileSync(file, 'utf8')).not.toBe('');
    },
  );
});

describe('a pipe or a terminal that fails', () => {
  /** Runs before the program, whose standard output then fails: as a terminal does that is gone, or a reader that is. */
  const failing = (code: string) =>
    `data:text/javascript,${encodeURIComponent(
      `process.stdout._write = (chunk, encoding, done) =>
         setImmediate(done, Object.assign(new Error('${code}: write'), { code: '${code}' }));
       process.stdout._writev = undefined;`,
    )}`;

  it.each([
    ['EIO', 6],
    ['EPIPE', 0],
    ['ECONNRESET', 0],
  ])('leaves the run its end: %s, %i', (code, ended) => {
    const argv = ['--import', failing(code), FIXTURE, 'sample', '--changes-databases', '--end', 'long'];
    const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: PATIENCE });
    expect(status).toBe(ended);
    expect(stderr).toContain('went on to its end\n');
    expect(stderr.match(/code: OUTPUT_NOT_WRITTEN/gu) ?? []).toHaveLength(ended === 0 ? 0 : 1);
  });
});
