import type { TenantChange } from '../diff/change.js';
import type { ErrorCode } from '../trueup-error.js';

/** What apply did to a tenant, in order: the first that fits. Part of the JSON contract. */
export const OUTCOMES = [
  'failed',
  'stale',
  'vanished',
  'not-attempted',
  'blocked',
  'partial',
  'converged',
  'deferred',
  'in-sync',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A tenant's end. */
export interface TenantOutcome {
  readonly database: string;
  readonly schema: string;
  readonly outcome: Outcome;
  readonly changes: readonly ChangeOutcome[];
  readonly error: TenantFailure | null;
}

/** What became of one change. `in-doubt`: the connection was lost while it ran. */
export interface ChangeOutcome {
  readonly item: TenantChange;
  readonly result: 'applied' | 'not-applied' | 'in-doubt';
}

/** Why a tenant did not converge. */
export interface TenantFailure {
  readonly code: ErrorCode;
  readonly message: string;
  /** The server's SQLSTATE, where the server said it. */
  readonly sqlstate: string | null;
  readonly remedy: string | null;
}

/** The tenants by outcome; adds up to the fleet. */
export interface ApplySummary {
  readonly tenants: number;
  readonly inSync: number;
  readonly converged: number;
  readonly partial: number;
  readonly blocked: number;
  readonly deferred: number;
  readonly stale: number;
  readonly vanished: number;
  readonly notAttempted: number;
  readonly failed: number;
}

/** Counts outcomes. */
export function summariseOutcomes(outcomes: readonly TenantOutcome[]): ApplySummary {
  const of = (outcome: Outcome) => outcomes.filter((one) => one.outcome === outcome).length;
  return {
    tenants: outcomes.length,
    inSync: of('in-sync'),
    converged: of('converged'),
    partial: of('partial'),
    blocked: of('blocked'),
    deferred: of('deferred'),
    stale: of('stale'),
    vanished: of('vanished'),
    notAttempted: of('not-attempted'),
    failed: of('failed'),
  };
}
