import type { Change } from '../diff/change.js';
import type { DatabasePlan } from '../plan/fleet-plan.js';
import type { ApplySummary, TenantOutcome } from './outcome.js';

/** What an apply did to a fleet. */
export interface FleetOutcome {
  readonly planId: string;
  readonly databases: readonly DatabasePlan[];
  readonly databaseChanges: readonly { readonly change: Change; readonly result: 'applied' | 'not-applied' }[];
  /** Every tenant of the plan, in sync ones too. */
  readonly tenants: readonly TenantOutcome[];
  readonly summary: ApplySummary;
  /** The signal that ended it early. */
  readonly interrupted: 'SIGINT' | 'SIGTERM' | null;
}
