import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
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

it('tells nobody when quiet, or when standard error is no terminal', () => {
  const { stream } = terminal();
  expect(terminalProgress(stream, { quiet: true })).toBe(NO_PROGRESS);
  expect(terminalProgress(new PassThrough() as unknown as NodeJS.WriteStream)).toBe(NO_PROGRESS);
});
