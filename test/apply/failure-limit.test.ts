import { expect, it } from 'vitest';
import { failureLimit } from '../../src/apply/failure-limit.js';

it('R12: a share of failed tenants that comes to a whole number is that number; else it is rounded up', () => {
  for (let percent = 1; percent <= 100; percent += 1)
    for (const hundreds of [1, 3, 70]) expect(failureLimit({ percent }, hundreds * 100)).toBe(percent * hundreds);
  expect(failureLimit({ percent: 1 }, 101)).toBe(2);
  expect(failureLimit({ percent: 0.5 }, 8)).toBe(1);
});

it('R12: without a limit no number of failures ends a run; nor does none', () => {
  expect(failureLimit(null, 8)).toBe(Number.POSITIVE_INFINITY);
  expect(failureLimit({ percent: 1 }, 0)).toBe(1);
});
