import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('fixture/bin/run.js', import.meta.url));
const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

/** A command at work; gives a way to wait for its words, and its end. */
function start(argv: readonly string[]) {
  const child = spawn(process.execPath, [PROGRAM, 'sample', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let text = '';
  let told = () => {};
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      told();
    });
  const ended = new Promise<{ code: number | null; text: string; at: number }>((resolve) => {
    child.once('close', (code) => resolve({ code, text, at: performance.now() }));
  });
  const says = async (words: string) => {
    while (!text.includes(words))
      await new Promise<void>((resolve, reject) => {
        told = resolve;
        ended.then(() => reject(new Error(`ended without saying ${words}: ${text}`)));
      });
  };
  return { child, ended, says };
}

/** More than a pipe holds. */
const REPORT = 5_000_000;

/** Longer than the moment in which two signals count as one. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 400));

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ] as const)('ends a command that holds nothing at once, without a word: %s, %i', async (signal, code) => {
    const run = start(['--end', 'never']);
    await run.says('working');
    const at = performance.now();
    run.child.kill(signal);
    const end = await run.ended;
    expect(end).toMatchObject({ code, text: 'working\n' });
    expect(end.at - at).toBeLessThan(3000);
  });

  it('drains a run, which says so in one line and ends in its own way (R11)', async () => {
    const run = start(['--end', 'drained', '--exit-code', '5']);
    await run.says('working');
    run.child.kill('SIGINT');
    expect(await run.ended).toMatchObject({
      code: 5,
      text: [
        'working',
        'draining SIGINT',
        'SIGINT: nothing new is begun; what is in flight is finished and reported. Ctrl-C again stops at once.',
        '',
      ].join('\n'),
    });
  });

  it('cancels a run the second time, gives up waiting after 2 s, and ends the process the third time (R11)', async () => {
    const run = start(['--end', 'drained', '--until', 'nothing']);
    await run.says('working');
    run.child.kill('SIGINT');
    await run.says('draining SIGINT');
    await pause();
    run.child.kill('SIGINT');
    await run.says('cancelled SIGINT');
    const at = performance.now();
    await run.says('abandoned SIGINT');
    expect(performance.now() - at).toBeGreaterThan(1500);
    expect(performance.now() - at).toBeLessThan(5000);
    run.child.kill('SIGINT');
    expect(await run.ended).toMatchObject({ code: 130 });
  });

  describe('once the run is over and nobody has read its report yet', () => {
    const ending = async () => {
      const run = start(['--end', 'drained', '--report', String(REPORT), '--exit-code', '5']);
      await run.says('working');
      run.child.stdout.pause();
      run.child.kill('SIGINT');
      await run.says('Ctrl-C again stops at once.');
      await pause();
      run.child.kill('SIGINT');
      await run.says('SIGINT: the run is over');
      return run;
    };

    it('does not break the report off, nor become the exit code', async () => {
      const run = await ending();
      run.child.stdout.resume();
      const { code, text } = await run.ended;
      expect([code, text.match(/x/gu)?.length]).toEqual([5, REPORT]);
    });

    it('ends the process the second time', async () => {
      const run = await ending();
      await pause();
      run.child.kill('SIGTERM');
      await new Promise((resolve) => run.child.once('exit', resolve));
      run.child.stdout.resume();
      expect(await run.ended).toMatchObject({ code: 143 });
    });
  });

  it('counts once when it comes twice in a moment, as from npm and the terminal', async () => {
    const run = start(['--end', 'drained', '--until', 'cancelled']);
    await run.says('working');
    run.child.kill('SIGINT');
    await run.says('draining SIGINT');
    run.child.kill('SIGINT');
    await pause();
    run.child.kill('SIGINT');
    const { text } = await run.ended;
    expect(text.match(/SIGINT: /gu)).toHaveLength(2);
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('%s drains for --drain-timeout, then cancels (R17)', async (signal) => {
    const run = start(['--end', 'drained', '--until', 'cancelled', '--drain-timeout', '700', '--exit-code', '143']);
    await run.says('working');
    run.child.kill(signal);
    await run.says('draining SIGTERM');
    const at = performance.now();
    const end = await run.ended;
    expect(end.code).toBe(143);
    expect(end.text).toContain(
      `${signal}: nothing new is begun; what is in flight is finished and reported, for 0.7 s`,
    );
    expect(end.at - at).toBeGreaterThan(500);
    expect(end.at - at).toBeLessThan(4000);
  });
});
