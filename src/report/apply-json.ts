import type { FleetOutcome } from '../apply/fleet-outcome.js';
import type { ApplySummary, ChangeOutcome, Outcome, TenantFailure, TenantOutcome } from '../apply/outcome.js';
import type { Member } from '../diff/change.js';
import type { ErrorCode } from '../trueup-error.js';
import { type ChangeDocument, changeDocument } from './change-document.js';
import { FORMAT_VERSION, TRUEUP_VERSION } from './document-version.js';
import { type DatabaseDocument, databaseDocument } from './plan-json.js';
import { withoutRowValues } from './row-values.js';

/** What an apply did, as `apply --json` prints it; schema/apply.schema.json describes it. */
export interface ApplyDocument {
  readonly formatVersion: string;
  readonly trueupVersion: string;
  readonly planId: string;
  readonly databases: readonly DatabaseDocument[];
  /** The signal that ended the run early. */
  readonly interrupted: 'SIGINT' | 'SIGTERM' | null;
  readonly summary: ApplySummary;
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
export function applyDocument(result: FleetOutcome, options: { readonly showValues: boolean }): ApplyDocument {
  return {
    formatVersion: FORMAT_VERSION,
    trueupVersion: TRUEUP_VERSION,
    planId: result.planId,
    databases: result.databases.map(databaseDocument),
    interrupted: result.interrupted,
    summary: result.summary,
    databaseChanges: result.databaseChanges.map(({ change, result: made }) => ({
      ...changeDocument(change, 0),
      result: made,
    })),
    tenants: result.tenants
      .filter((tenant) => tenant.outcome !== 'in-sync')
      .map((tenant) => tenantDocument(tenant, options.showValues)),
  };
}

function tenantDocument(tenant: TenantOutcome, showValues: boolean): TenantOutcomeDocument {
  const { database, schema, outcome, changes, error } = tenant;
  return {
    database,
    schema,
    outcome,
    changes: changes.map(({ item: { change, members }, result }) => ({
      ...changeDocument(change, members?.length ?? 0),
      result,
      ...(showValues && members !== null ? { members } : {}),
    })),
    ...(error === null ? {} : { error: failureDocument(error, showValues) }),
  };
}

function failureDocument({ code, message, sqlstate, remedy }: TenantFailure, showValues: boolean): FailureDocument {
  return {
    code,
    message: showValues ? message : withoutRowValues(message),
    ...(sqlstate === null ? {} : { sqlstate }),
    ...(remedy === null ? {} : { remedy }),
  };
}
