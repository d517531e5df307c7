import type { DesiredIndexBase } from '../desired-state/model.js';

/** The cost policy: below `build` rows none is made, between `keep` and `build` what is there stays, below it goes. */
export function worthOf(
  worthRows: DesiredIndexBase['worthRows'],
  present: boolean,
  count: (limit: number) => number | null,
): 'build' | 'leave' | 'drop' {
  if (worthRows === null) return 'build';
  const { build, keep } = worthRows;
  const found = count(build);
  // What cannot be told counts as enough: nothing is dropped for want of rows that were not read.
  if (found === null || found >= build) return 'build';
  if (!present) return 'leave';
  return found < keep ? 'drop' : 'build';
}
