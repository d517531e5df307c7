import type { IndexUsage } from '../catalog/fact-types.js';
import type { Shard } from '../catalog/shard.js';
import type { Change, Member } from '../diff/change.js';
import { FORMAT_VERSION } from '../format-version.js';
import { approvedState } from '../plan/approved-plan.js';
import type {
  DatabasePlan,
  Diagnostic,
  DriftClass,
  FailedDatabase,
  FleetPlan,
  PlanSummary,
  UnreadableTenant,
} from '../plan/fleet-plan.js';
import type { ApprovedState } from '../plan/plan-file.js';
import { unreadableRemedy } from '../plan/unreadable.js';
import { showSql } from '../sql/template.js';
import { type ChangeDocument, changeDocument } from './change-document.js';
import { TRUEUP_VERSION } from './document-version.js';
import { memberCount, membersOf, usageOf } from './members.js';
import { withoutRowValues } from './row-values.js';

/** A plan as `plan --json` prints it; schema/plan.schema.json describes it. */
export interface PlanDocument {
  readonly formatVersion: string;
  readonly trueupVersion: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly planId: string;
  readonly databases: readonly DatabaseDocument[];
  /** Those of several that could not be planned. */
  readonly failedDatabases: readonly FailedDatabase[];
  readonly desiredState: DesiredStateDocument;
  /** Which part of the fleet was planned; shard null: all of it. */
  readonly selection: { readonly shard: Shard | null };
  readonly summary: PlanSummary;
  /** Changes made once a database: extensions. */
  readonly databaseChanges: readonly (PlannedChangeDocument & { readonly database: string })[];
  readonly diagnostics: readonly Diagnostic[];
  readonly driftClasses: readonly DriftClassDocument[];
  readonly unreadable: readonly (UnreadableTenant & { readonly remedy: string })[];
}

/** A database, without anything that opens it. */
export interface DatabaseDocument {
  readonly id: string;
  readonly host: string;
  readonly name: string;
  readonly serverVersion: string;
  readonly role: string;
}

/** What the plan was made for. Backends: of the phases that were compared. */
export type DesiredStateDocument = Omit<ApprovedState, 'baseSchema'>;

/** Tenants that need the same changes, and those changes in the order of apply. */
export interface DriftClassDocument {
  readonly id: string;
  readonly tenantCount: number;
  readonly tenants: readonly { readonly database: string; readonly schema: string }[];
  readonly changes: readonly PlannedChangeDocument[];
  /** Only where values are shown: which members each tenant needs of the change at that place in `changes`. */
  readonly members?: readonly ClassMembersDocument[];
}

/** One tenant's members of one change. */
export interface ClassMembersDocument {
  readonly database: string;
  readonly schema: string;
  readonly change: number;
  readonly values: readonly Member[];
}

/** A change with its statements as psql writes variables: `:"schema"`, `:'row.value'`. */
export interface PlannedChangeDocument extends ChangeDocument {
  readonly statements: readonly string[];
}

/** The document of a plan. Values of rows stay out of it unless `showValues`. */
export function planDocument(plan: FleetPlan, options: { readonly showValues: boolean }): PlanDocument {
  return {
    formatVersion: FORMAT_VERSION,
    trueupVersion: TRUEUP_VERSION,
    createdAt: plan.createdAt.toISOString(),
    planId: plan.planId,
    databases: plan.databases.map(databaseDocument),
    failedDatabases: plan.failedDatabases,
    desiredState: desiredStateDocument(plan),
    selection: { shard: plan.databases[0]?.shard ?? null },
    summary: plan.summary,
    databaseChanges: plan.databases.flatMap((database) =>
      database.databaseChanges.map((change) => ({ database: database.id, ...plannedChange(change, 0) })),
    ),
    diagnostics: diagnosticsOf(plan),
    driftClasses: plan.classes.map((group) => classDocument(group, options.showValues)),
    unreadable: plan.databases
      .flatMap((database) => database.unreadable)
      .map((tenant) => ({
        database: tenant.database,
        schema: tenant.schema,
        code: tenant.code,
        message: options.showValues ? tenant.message : withoutRowValues(tenant.message),
        remedy: unreadableRemedy(tenant),
      })),
  };
}

/** A database's document. */
export function databaseDocument({ id, host, name, serverVersion, role }: DatabasePlan): DatabaseDocument {
  return { id, host, name, serverVersion, role };
}

/** A plan's diagnostics. That phases were skipped is no news beside the verdict, which says it. */
export const diagnosticsOf = (plan: FleetPlan): readonly Diagnostic[] =>
  plan.databases
    .flatMap((database) => database.diagnostics)
    .filter((diagnostic) => diagnostic.code !== 'PHASES_SKIPPED');

function desiredStateDocument({ desired }: FleetPlan): DesiredStateDocument {
  const { digest, phases, skippedPhases, backends, parameters } = approvedState(desired);
  const compared = Object.entries(backends).filter(([phase]) => phases.includes(phase));
  return { digest, phases, skippedPhases, backends: Object.fromEntries(compared), parameters };
}

function classDocument(group: DriftClass, showValues: boolean): DriftClassDocument {
  const members = group.changes.flatMap((_, at) =>
    membersOf(group, at).map(({ database, schema, members: values }) => ({ database, schema, change: at, values })),
  );
  return {
    id: group.id,
    tenantCount: group.tenants.length,
    tenants: group.tenants.map(({ database, schema }) => ({ database, schema })),
    changes: group.changes.map(({ change }, at) => plannedChange(change, memberCount(group, at), usageOf(group, [at]))),
    ...(showValues ? { members } : {}),
  };
}

const plannedChange = (change: Change, members: number, usage?: IndexUsage): PlannedChangeDocument => ({
  ...changeDocument(change, members, usage),
  statements: change.steps.map((step) => showSql(step.sql)),
});
