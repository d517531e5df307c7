import type { DatabaseIdentity } from '../catalog/database-identity.js';
import type { DatabaseMemory } from '../catalog/database-memory.js';
import type { Shard } from '../catalog/shard.js';
import type { Unmanaged } from '../catalog/unmanaged.js';
import type { VisitedDatabase } from '../database/database-place.js';
import type { DesiredPhase, DesiredState } from '../desired-state/model.js';
import type { Change, TenantChange } from '../diff/change.js';
import type { ErrorCode } from '../trueup-error.js';
import type { Asked } from './asked.js';

/** Something that an operator should know; one shape for every stage. */
export interface Diagnostic {
  readonly severity: 'warning' | 'note';
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly remedy: string | null;
  readonly database: string;
  /** The tenant it is about, where it is about one. */
  readonly schema: string | null;
}

/** Every kind of diagnostic; part of the JSON contract. */
export const DIAGNOSTIC_CODES = [
  'LOOKS_LIKE_A_TENANT',
  'LISTED_AND_MISSING',
  'EXTENSION_ELSEWHERE',
  'EXTENSION_IN_TENANT',
  'PHASES_SKIPPED',
  'BACKEND_RESOLVED',
  'KEY_NOT_UNIQUE',
  'SEARCH_PATH_NEEDED',
  'NOT_THE_OWNER',
  'NOT_REFERABLE',
] as const;
export type DiagnosticCode = (typeof DIAGNOSTIC_CODES)[number];

/** A tenant with what it needs; none when it is in sync. */
export interface PlannedTenant {
  readonly database: string;
  readonly schema: string;
  /** In the order in which apply makes them. */
  readonly changes: readonly TenantChange[];
  /** Names what the plan was made from: another value, and the tenant is stale. */
  readonly fingerprint: string;
  /** The role that new tables are to belong to; null where none is made, and where it is the session's own. */
  readonly owner: string | null;
  /** True for a schema that does not exist yet and that apply makes. */
  readonly isNew: boolean;
  /** The phases that it was planned by: an override may give it others than the rest of the fleet has. */
  readonly phases: readonly DesiredPhase[];
}

/** A tenant that could not be read: no changes are planned for it. */
export interface UnreadableTenant {
  readonly database: string;
  readonly schema: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** One database's part of a plan. */
export interface DatabasePlan extends VisitedDatabase {
  /** What it was planned by, alternatives resolved; overrides aside. */
  readonly desired: DesiredState;
  /** Made once, before any tenant's: extensions. */
  readonly databaseChanges: readonly Change[];
  readonly diagnostics: readonly Diagnostic[];
  readonly tenants: readonly PlannedTenant[];
  readonly unreadable: readonly UnreadableTenant[];
  /** How many distinct shapes the tenants had. */
  readonly shapes: number;
  /** What stands in the tenants and nothing declares: never touched. Null where phases are left out of the run. */
  readonly unmanaged: Unmanaged | null;
  /** Schemas that statements may name beside the tenant's: those of the declared extensions, and those that the files name. */
  readonly allowedSchemas: readonly string[];
  /** The part of the fleet that it is about; null: all of it. */
  readonly shard: Shard | null;
  /** Absent from a part that was planned for a batch. */
  readonly identity?: DatabaseIdentity;
  /** What the plan has learnt of the database, for the batches of its apply; no part of what it says. */
  readonly memory?: DatabaseMemory;
}

/** A database that could not be planned, or in which nothing could be begun. */
export interface FailedDatabase {
  readonly database: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string | null;
}

/** Tenants that need the same changes. */
export interface DriftClass {
  readonly id: string;
  readonly tenants: readonly PlannedTenant[];
  /** Of one of them; the others' differ in names and members only. */
  readonly changes: readonly TenantChange[];
}

/** What apply would do, for the whole fleet. */
export interface FleetPlan {
  readonly planId: string;
  readonly createdAt: Date;
  readonly asked: Asked;
  readonly desired: DesiredState;
  readonly databases: readonly DatabasePlan[];
  /** Databases of several that could not be planned: nothing is known of their tenants. */
  readonly failedDatabases: readonly FailedDatabase[];
  readonly classes: readonly DriftClass[];
  readonly summary: PlanSummary;
}

/** `inSync + drifted + unreadable = tenants`; `blocked` and `deferred` overlap them. */
export interface PlanSummary {
  readonly tenants: number;
  readonly inSync: number;
  readonly drifted: number;
  readonly blocked: number;
  readonly deferred: number;
  readonly unreadable: number;
  readonly shapes: number;
}

/** In sync: nothing is pending and nothing blocked. What is only deferred is neither drift nor failure. */
export const isInSync = (tenant: PlannedTenant): boolean =>
  tenant.changes.every(({ change }) => change.status === 'deferred');
