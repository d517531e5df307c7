import type { FleetOutcome } from '../apply/fleet-outcome.js';
import type { ApplySummary, ChangeOutcome, Outcome, TenantOutcome } from '../apply/outcome.js';
import type { StopReason } from '../apply/run-control.js';
import type { Member } from '../diff/change.js';
import { FORMAT_VERSION } from '../format-version.js';
import type { FailedDatabase } from '../plan/fleet-plan.js';
import type { ErrorCode } from '../trueup-error.js';
import { failureDocument } from './apply-events.js';
import { type ChangeCounts, changeCounts, hasLeftOvers } from './change-counts.js';
import { type ChangeDocument, changeDocument } from './change-document.js';
import { TRUEUP_VERSION } from './document-version.js';
import { MemberNames } from './member-names.js';
import { type DatabaseDocument, databaseDocument } from './plan-json.js';

/** What an apply did, as `apply --json` prints it; schema/apply.schema.json describes it. */
export interface ApplyDocument {
  readonly formatVersion: string;
  readonly trueupVersion: string;
  readonly planId: string;
  readonly databases: readonly DatabaseDocument[];
  /** Those that could not be planned, or in which nothing could be begun. */
  readonly failedDatabases: readonly FailedDatabase[];
  /** Why the run ended early; null: it did not. */
  readonly ended: StopReason | null;
  /** The signal that ended the run early. */
  readonly interrupted: 'SIGINT' | 'SIGTERM' | null;
  readonly summary: ApplySummary;
  /** The changes of all tenants by what became of them. */
  readonly changes: ChangeCounts;
  /** What to run for what is left over; null when nothing is, or when the caller gave none. */
  readonly retryCommand: string | null;
  readonly databaseChanges: readonly (ChangeDocument & { readonly result: 'applied' | 'not-applied' })[];
  /** Those that were in sync before are left out. */
  readonly tenants: readonly TenantOutcomeDocument[];
}

/** One tenant's end. */
export interface TenantOutcomeDocument {
  readonly database: string;
  readonly schema: string;
  readonly outcome: Outcome;
  readonly changes: readonly ChangeOutcomeDocument[];
  readonly error?: FailureDocument;
}

/** A change and what became of it. */
export interface ChangeOutcomeDocument extends ChangeDocument {
  readonly result: ChangeOutcome['result'];
  /** Only where values are shown. */
  readonly members?: readonly Member[];
}

/** Why a tenant did not converge. */
export interface FailureDocument {
  readonly code: ErrorCode;
  readonly message: string;
  readonly sqlstate?: string;
  readonly remedy?: string;
}

/** The document of an apply. Values of rows stay out of it unless `showValues`. */
export function applyDocument(
  result: FleetOutcome,
  options: { readonly showValues: boolean; readonly retry?: string | null },
): ApplyDocument {
  const hide = options.showValues ? null : new MemberNames(result.databases.map(({ desired }) => desired));
  return {
    formatVersion: FORMAT_VERSION,
    trueupVersion: TRUEUP_VERSION,
    planId: result.planId,
    databases: result.databases.map(databaseDocument),
    failedDatabases: result.failedDatabases,
    ended: result.ended,
    interrupted: result.interrupted,
    summary: result.summary,
    changes: changeCounts(result.tenants),
    retryCommand: hasLeftOvers(result) ? (options.retry ?? null) : null,
    databaseChanges: result.databaseChanges.map(({ change, result: made }) => ({
      ...changeDocument(change, 0),
      result: made,
    })),
    tenants: result.tenants
      .filter((tenant) => tenant.outcome !== 'in-sync')
      .map((tenant) => tenantDocument(tenant, hide)),
  };
}

function tenantDocument(tenant: TenantOutcome, hide: MemberNames | null): TenantOutcomeDocument {
  const { database, schema, outcome, changes, error } = tenant;
  return {
    database,
    schema,
    outcome,
    changes: changes.map(({ item: { change, members }, result }) => ({
      ...changeDocument(change, members?.length ?? 0),
      result,
      ...(hide === null && members !== null ? { members } : {}),
    })),
    ...(error === null ? {} : { error: failureDocument(error, hide) }),
  };
}
