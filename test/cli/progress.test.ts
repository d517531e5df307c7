import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { terminalOutput } from '../../src/cli/progress.js';
import { WorkNotes } from '../../src/cli/work-notes.js';
import { NO_PROGRESS } from '../../src/progress.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function terminal() {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { stream: stream as unknown as NodeJS.WriteStream, written: () => text };
}

it('shows nothing of work that takes less than a second, and a bar of longer work', () => {
  const { stream, written } = terminal();
  const { progress } = terminalOutput(stream);
  progress.phase('reading', 10);
  progress.advance();
  vi.advanceTimersByTime(500);
  progress.phase('building', 20);
  progress.advance(5);
  expect(written()).toBe('');
  vi.advanceTimersByTime(1500);
  progress.done();
  expect(written()).toContain('building');
  expect(written()).toContain('5/20');
  expect(written()).not.toContain('reading');
});

it('shows beside the bar what is being done just now, and nothing of it in the next stretch', () => {
  const { stream, written } = terminal();
  const { progress } = terminalOutput(stream);
  progress.phase('applying', 10);
  const notes = new WorkNotes(progress, (index) => index.replace('acme', '…'));
  const build = { kind: 'build-progress', database: 'main', schema: 't1', index: 'idx_acme', unit: 'blocks' } as const;
  vi.advanceTimersByTime(1500);
  notes.observe({ ...build, phase: 'building index: scanning table', done: 37, total: 100 });
  vi.advanceTimersByTime(500);
  expect(written()).toContain(' | t1.idx_…: building index: scanning table 37%');
  notes.observe({ ...build, phase: 'waiting for writers before build', done: 0, total: 0 });
  vi.advanceTimersByTime(500);
  expect(written()).toContain('waiting for writers before build');
  expect(written()).not.toContain('writers before build 0%');
  const filling = {
    kind: 'backfill-progress',
    database: 'main',
    schema: 't1',
    table: 'items',
    column: 'token',
  } as const;
  notes.observe({ ...filling, rows: 6000, done: 5, total: 20 });
  vi.advanceTimersByTime(500);
  expect(written()).toContain('t1.items: filling token 25%');
  const before = written().length;
  notes.observe({ kind: 'tenant-finished', database: 'main', schema: 't1', outcome: 'converged', failure: null });
  progress.advance();
  vi.advanceTimersByTime(500);
  progress.done();
  expect(written().slice(before)).toContain('1/10');
  expect(written().slice(before)).not.toContain('t1.');
});

it('shows the rate and the time left, and a narrow terminal a shorter bar', () => {
  const { stream, written } = terminal();
  stream.columns = 50;
  const { progress } = terminalOutput(stream);
  progress.phase('applying', 100);
  vi.advanceTimersByTime(1100);
  progress.advance(20);
  vi.advanceTimersByTime(4000);
  progress.done();
  expect(written()).toMatch(/applying [█░]{5} 20\/100, 5\.0\/s, 4s, 16s left/u);
});

it('writes a line above the bar, and draws the bar again below it', () => {
  const { stream, written } = terminal();
  const { progress, write } = terminalOutput(stream);
  write('before');
  progress.phase('applying', 100);
  vi.advanceTimersByTime(1500);
  const bar = written().length;
  write('a tenant has failed');
  vi.advanceTimersByTime(500);
  expect(written().startsWith('before\n')).toBe(true);
  const [cleared, below = ''] = written().slice(bar).split('a tenant has failed\n');
  expect(cleared).toBe('\r\u001B[K');
  expect(below).toContain('applying');
  progress.done();
});

it('tells nobody when quiet, or when standard error is no terminal', () => {
  const { stream } = terminal();
  expect(terminalOutput(stream, { quiet: true }).progress).toBe(NO_PROGRESS);
  expect(terminalOutput(new PassThrough() as unknown as NodeJS.WriteStream).progress).toBe(NO_PROGRESS);
});
