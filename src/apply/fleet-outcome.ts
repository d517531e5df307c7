import type { DatabaseError } from '../database/session.js';
import type { Change } from '../diff/change.js';
import type { DatabasePlan } from '../plan/fleet-plan.js';
import type { TrueupError } from '../trueup-error.js';
import type { ApplySummary, TenantOutcome } from './outcome.js';
import type { StopReason } from './run-control.js';

/** What an apply did to a fleet. */
export interface FleetOutcome {
  readonly planId: string;
  readonly databases: readonly DatabasePlan[];
  readonly databaseChanges: readonly { readonly change: Change; readonly result: 'applied' | 'not-applied' }[];
  /** Databases in which nothing could be begun; their tenants are not attempted. */
  readonly failedDatabases: readonly { readonly database: string; readonly error: TrueupError | DatabaseError }[];
  /** Every tenant of the plan, in sync ones too. */
  readonly tenants: readonly TenantOutcome[];
  readonly summary: ApplySummary;
  /** Why it ended before every tenant had its turn; null: it did not. */
  readonly ended: StopReason | null;
  /** The signal, where it was one. */
  readonly interrupted: 'SIGINT' | 'SIGTERM' | null;
}
