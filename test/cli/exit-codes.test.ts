import { expect, it } from 'vitest';
import { worstExitCode } from '../../src/cli/exit-codes.js';

it.each([
  [[], 0],
  [[0, 2], 2],
  [[2, 5], 5],
  [[2, 6], 6],
  [[6, 5], 5],
  [[5, 3], 3],
  [[3, 4], 4],
  [[4, 143], 143],
  [[143, 130], 130],
  [[130, 1, 0], 1],
  [[77], 1],
])('the worst of %j is %i', (codes, worst) => {
  expect(worstExitCode(codes)).toBe(worst);
});
