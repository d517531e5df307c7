import type { ApplySummary } from '../apply/outcome.js';
import { number } from './words.js';

/** How many tenants an apply left otherwise than declared, by how they ended, worst first: `2 failed`, `1 stale` … */
export const troublesOf = (summary: ApplySummary): readonly string[] =>
  (
    [
      [summary.failed, 'failed'],
      [summary.stale, 'stale'],
      [summary.vanished, 'vanished'],
      [summary.notAttempted, 'not attempted'],
      [summary.blocked, 'blocked'],
      [summary.partial, 'changed in part'],
    ] as const
  ).flatMap(([count, words]) => (count > 0 ? [`${number(count)} ${words}`] : []));
