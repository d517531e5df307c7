import type { Change } from '../diff/change.js';
import type { DatabasePlan, FailedDatabase } from '../plan/fleet-plan.js';
import type { ApplySummary, TenantOutcome } from './outcome.js';
import type { StopReason } from './run-control.js';

/** What an apply did to a fleet. */
export interface FleetOutcome {
  readonly planId: string;
  readonly databases: readonly DatabasePlan[];
  readonly databaseChanges: readonly { readonly change: Change; readonly result: 'applied' | 'not-applied' }[];
  /** Databases that could not be planned, or in which nothing could be begun. */
  readonly failedDatabases: readonly FailedDatabase[];
  /** Every tenant of the plan, in sync ones too. */
  readonly tenants: readonly TenantOutcome[];
  readonly summary: ApplySummary;
  /** Why it ended before every tenant had its turn; null: it did not. */
  readonly ended: StopReason | null;
  /** The signal, where it was one. */
  readonly interrupted: 'SIGINT' | 'SIGTERM' | null;
}
