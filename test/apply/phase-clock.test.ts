import { beforeEach, expect, it } from 'vitest';
import { PhaseClock } from '../../src/apply/phase-clock.js';

const PID = 4711;
const SCAN = 'building index: scanning table';
let clock: PhaseClock;
beforeEach(() => {
  clock = new PhaseClock();
});

/** Looks at a build every quarter of a second. */
const look = (phase: string, total: number, ...done: readonly number[]) => {
  for (const [at, blocks] of done.entries()) clock.note(PID, { phase, done: blocks, total }, 250 * at);
};

it('R15: a build goes on for as long as what is left takes at the pace of its phase so far', () => {
  look(SCAN, 100, 10, 20, 30);
  expect(clock.busyFor(PID)).toBe(1750);
});

it('R15: a scan whose first look found every block done, as the server has it at the first, is told like any other', () => {
  look(SCAN, 100, 100, 10, 20, 30);
  expect(clock.busyFor(PID)).toBe(1750);
});

it('R15: of a build that has made no progress, waits for others or is not known, nothing is sure', () => {
  expect(clock.busyFor(PID)).toBe(0);
  look(SCAN, 100, 10, 10);
  expect(clock.busyFor(PID)).toBe(0);
  look('waiting for old snapshots', 4, 1, 2);
  expect(clock.busyFor(PID)).toBe(0);
});
