import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepDeadline } from '../../src/apply/deadline.js';
import { type ApplyRequest, runDefaults } from '../../src/apply/request.js';
import { RunControl } from '../../src/apply/run-control.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('drains before the deadline, cancels at it, and gives up soon after a server that does not answer', () => {
  const control = new RunControl();
  const { limits } = runDefaults();
  const deadline = new Date(Date.now() + 60_000);
  const stop = keepDeadline({ deadline, limits: { ...limits, drainTimeout: 20_000 }, control } as ApplyRequest);
  const states = [39_000, 2000, 18_000, 2000, 27_000, 3000].map((ms) => {
    vi.advanceTimersByTime(ms);
    return control.state;
  });
  stop();
  expect(states).toEqual(['running', 'draining', 'draining', 'cancelled', 'cancelled', 'abandoned']);
  expect(control.reason).toBe('deadline');
});
