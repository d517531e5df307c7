import type { PlanRequest } from '../plan/request.js';
import type { ApplyEvent } from './events.js';
import { RunControl } from './run-control.js';

/** What an apply is asked for. */
export interface ApplyRequest extends PlanRequest {
  /** Connections at most, the one that keeps the locks and watches among them. */
  readonly concurrency: number;
  /** Index builds on populated tables at once, over all tenants. */
  readonly indexBuilds: number;
  /** Tenants that one set of locks, one introspection and one verification serve; fewer where their work is long. */
  readonly batch: number;
  readonly limits: ApplyLimits;
  /** Tenants that are converged and verified before any other is touched; 0: none. */
  readonly canary: number;
  /** How many failed tenants end the run: no new one is begun. Null: never. */
  readonly maxFailures: MaxFailures | null;
  /** Nothing is begun that late, and what still runs then is cancelled. */
  readonly deadline: Date | null;
  /** What a saved plan approved; null: whatever the diff gives. */
  readonly approved: ApprovedTenants | null;
  /** Through which a signal, or the calling program, ends the run early. */
  readonly control: RunControl;
  /** Is told what happens while it happens. */
  readonly observe: (event: ApplyEvent) => void;
}

/** A number of tenants, or a share of those with pending changes. */
export type MaxFailures = { readonly tenants: number } | { readonly percent: number };

/** How long things may take, in milliseconds, and how often a passing error is met with another try. */
export interface ApplyLimits {
  /** Budget for all locks of one transaction; below deadlock_timeout (1 s). */
  readonly lockTimeout: number;
  /** Bound of one concurrent build or validation. */
  readonly buildTimeout: number;
  /** How long tenants that another applier, or the application's migration, holds are waited for. */
  readonly lockWait: number;
  /** How long a session of others may wait behind a build before the build gives way. */
  readonly yieldAfter: number;
  /** How long a drain may take before what still runs is cancelled. */
  readonly drainTimeout: number;
  /** Tries of one tenant's change that fails for a passing reason. */
  readonly attempts: number;
}

/** The limits that hold unless others are given. */
export const DEFAULT_LIMITS: ApplyLimits = {
  lockTimeout: 500,
  buildTimeout: 24 * 60 * 60 * 1000,
  lockWait: 30_000,
  yieldAfter: 5000,
  drainTimeout: 20_000,
  attempts: 6,
};

/** What an apply does unless it is asked otherwise; a control of its own for each run. */
export const runDefaults = (): Omit<ApplyRequest, keyof PlanRequest> => ({
  concurrency: 4,
  indexBuilds: 1,
  batch: 250,
  limits: DEFAULT_LIMITS,
  canary: 0,
  maxFailures: null,
  deadline: null,
  approved: null,
  control: new RunControl(),
  observe: () => {},
});

/** What a saved plan approved for each tenant, by {@link tenantKey}. A tenant that is not in it is left alone. */
export type ApprovedTenants = ReadonlyMap<string, ApprovedTenant>;

/** One tenant's approval. */
export interface ApprovedTenant {
  readonly fingerprint: string;
  /** Every statement, as it would be sent. */
  readonly statements: ReadonlySet<string>;
}

/** A tenant's identity over the fleet's databases. */
export const tenantKey = (tenant: { readonly database: string; readonly schema: string }): string =>
  `${tenant.database}\0${tenant.schema}`;
