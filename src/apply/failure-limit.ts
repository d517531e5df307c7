import type { MaxFailures } from './request.js';

/** How many failed tenants end a run that has so many to change: a share of them is rounded up, to one at least. */
export function failureLimit(limit: MaxFailures | null, pending: number): number {
  if (limit === null) return Number.POSITIVE_INFINITY;
  // Multiplied first: 7 / 100 × 100 comes to a little more than 7, and an eighth tenant would fail.
  return 'tenants' in limit ? limit.tenants : Math.max(1, Math.ceil((limit.percent * pending) / 100));
}
