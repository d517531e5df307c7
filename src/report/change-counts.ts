import type { FleetOutcome } from '../apply/fleet-outcome.js';
import type { TenantOutcome } from '../apply/outcome.js';

/** Changes by what became of them. Those that are blocked or deferred count as not applied. */
export interface ChangeCounts {
  readonly applied: number;
  readonly notApplied: number;
  readonly inDoubt: number;
}

/** Counts the changes of some tenants. */
export function changeCounts(tenants: readonly TenantOutcome[]): ChangeCounts {
  const counts = { applied: 0, 'not-applied': 0, 'in-doubt': 0 };
  for (const { changes } of tenants) for (const { result } of changes) counts[result] += 1;
  return { applied: counts.applied, notApplied: counts['not-applied'], inDoubt: counts['in-doubt'] };
}

/** Whether another run has something to do that this one should have done. */
export function hasLeftOvers({ summary, databaseChanges }: FleetOutcome): boolean {
  const once = databaseChanges.some(({ change, result }) => result === 'not-applied' && change.status === 'pending');
  return once || summary.failed + summary.stale + summary.notAttempted > 0;
}
