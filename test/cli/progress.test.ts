import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BuildNotes } from '../../src/cli/build-notes.js';
import { terminalProgress } from '../../src/cli/progress.js';
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
  const progress = terminalProgress(stream);
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
  const progress = terminalProgress(stream);
  progress.phase('applying', 10);
  const notes = new BuildNotes(progress, (index) => index.replace('acme', '…'));
  const build = { kind: 'build-progress', database: 'main', schema: 't1', index: 'idx_acme', unit: 'blocks' } as const;
  vi.advanceTimersByTime(1500);
  notes.observe({ ...build, phase: 'building index: scanning table', done: 37, total: 100 });
  vi.advanceTimersByTime(500);
  expect(written()).toContain(' | t1.idx_…: building index: scanning table 37%');
  notes.observe({ ...build, phase: 'waiting for writers before build', done: 0, total: 0 });
  vi.advanceTimersByTime(500);
  expect(written()).toContain('waiting for writers before build');
  expect(written()).not.toContain('writers before build 0%');
  const before = written().length;
  notes.observe({ kind: 'tenant-finished', database: 'main', schema: 't1', outcome: 'converged', failure: null });
  progress.advance();
  vi.advanceTimersByTime(500);
  progress.done();
  expect(written().slice(before)).toContain('1/10');
  expect(written().slice(before)).not.toContain('t1.');
});

it('tells nobody when quiet, or when standard error is no terminal', () => {
  const { stream } = terminal();
  expect(terminalProgress(stream, { quiet: true })).toBe(NO_PROGRESS);
  expect(terminalProgress(new PassThrough() as unknown as NodeJS.WriteStream)).toBe(NO_PROGRESS);
});
