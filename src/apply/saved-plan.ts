import type { DatabaseIdentity } from '../catalog/database-identity.js';
import { oncePerObject } from '../collections.js';
import { placeOf } from '../database/database-place.js';
import type { Database } from '../database/session.js';
import { type Change, isPending } from '../diff/change.js';
import { approvedChange } from '../plan/approved-plan.js';
import type { DatabasePlan, FleetPlan, PlannedTenant } from '../plan/fleet-plan.js';
import type { ApprovedChange, ApprovedDatabase, ApprovedDrift, PlanFile } from '../plan/plan-file.js';
import { assemble } from '../plan/plan-fleet.js';
import { TrueupError } from '../trueup-error.js';
import type { FleetOutcome } from './fleet-outcome.js';
import { summariseOutcomes } from './outcome.js';
import { type ApprovedTenant, type ApprovedTenants, tenantKey } from './request.js';
import { statementsOf } from './statements.js';

/** What of a new plan a saved one approves. */
export interface CheckedPlan {
  /** The new plan, without the tenants that the saved one knows nothing of; its id is the saved one's. */
  readonly plan: FleetPlan;
  readonly approved: ApprovedTenants;
  /** How many tenants the fleet has that it had not when the plan was made. They are left alone. */
  readonly appeared: number;
  /** Tenants of the saved plan that are not there any more. */
  readonly gone: readonly { readonly database: string; readonly schema: string }[];
}

/**
 * Refuses a database that a saved plan was not made for. One server may go by several names and ports; where its own number
 * is not known, the names must do.
 * @throws {TrueupError} PLAN_FILE_MISMATCH
 */
export function checkDatabase(file: PlanFile, database: Database, identity: DatabaseIdentity): void {
  const saved = file.approved.databases.find(({ id }) => id === database.id);
  if (saved === undefined)
    throw mismatch(
      `the plan holds no database of the name ${database.id}: it holds ${idsOf(file)}`,
      'name it as it was named when the plan was made (--database-url ID=URL), or make a new plan',
    );
  const place = placeOf(database);
  const known = identity.systemIdentifier !== null && (saved.systemIdentifier ?? null) !== null;
  const sameServer = known
    ? saved.systemIdentifier === identity.systemIdentifier
    : saved.host === place.host && saved.port === place.port;
  if (sameServer && saved.name === place.name && saved.oid === identity.oid) return;
  const of = (one: { readonly name: string; readonly host: string; readonly port: number | null }) =>
    `"${one.name}" at ${one.host}${one.port === null ? '' : `:${one.port}`}`;
  const here = of(place);
  const there = of(saved);
  throw mismatch(
    here === there
      ? `the plan was made for another database of this name (${here}): it was made anew since, or its server was`
      : `the plan was made for database ${there}; this is ${here}`,
    'point it at the database that it was made for (--database-url), or make a new plan',
  );
}

function idsOf({ approved: { databases } }: PlanFile): string {
  const ids = databases.map(({ id }) => id);
  const more = ids.length > 4 ? ids.length - 3 : 0;
  return more > 0 ? `${ids.slice(0, 3).join(', ')} and ${more} more` : ids.join(', ');
}

/**
 * Refuses files that are not those that a saved plan was made by.
 * @throws {TrueupError} PLAN_FILE_MISMATCH
 */
export function checkDesiredState(file: PlanFile, digest: string, directory: string): void {
  if (digest === file.approved.desiredState.digest) return;
  throw mismatch(
    'the desired state is not the one that the plan was made by',
    'bring its files back to what they were, name their directory (--desired-state), or make a new plan',
    directory,
  );
}

/**
 * What a saved plan approves of a new one. Tenants that have changed since stay in it, for apply to report as stale. Where a
 * tenant has not changed, the saved changes must be those of the new diff: else somebody wrote them.
 * @throws {TrueupError} PLAN_FILE_MISMATCH, naming tenant and change
 */
export function checkPlan(file: PlanFile, plan: FleetPlan): CheckedPlan {
  const { digest, backends } = file.approved.desiredState;
  if (plan.desired.digest !== digest) {
    const other = plan.desired.phases.find(({ name, backend }) => backends[name]?.resolved !== backend?.resolved);
    throw mismatch(
      `the plan was made for backend ${backends[other?.name ?? '']?.resolved ?? '?'} of phase ${other?.name ?? '?'}; the database resolves it to ${other?.backend?.resolved ?? 'another'} now`,
      'make a new plan',
    );
  }
  const approved = new Map<string, ApprovedTenant>();
  const gone: { database: string; schema: string }[] = [];
  let appeared = 0;
  const databases = plan.databases.map((database) => {
    const saved = file.approved.databases.find(({ id }) => id === database.id);
    if (saved === undefined) throw mismatch(`the plan has no database ${database.id}`, 'make a new plan');
    checkDatabaseChanges(saved, database, file);
    const drifts = new Map(saved.tenants.map((drift) => [drift.schema, drift]));
    const known = new Set([...drifts.keys(), ...saved.inSync, ...saved.unreadable]);
    const isGone = ({ isNew, schema }: PlannedTenant) => isNew && !isMade(drifts.get(schema), saved);
    const tenants = database.tenants.filter((tenant) => known.has(tenant.schema) && !isGone(tenant));
    const unreadable = database.unreadable.filter(({ schema }) => known.has(schema));
    const there = new Set([...tenants, ...unreadable].map(({ schema }) => schema));
    for (const schema of known) if (!there.has(schema)) gone.push({ database: database.id, schema });
    appeared += [...database.tenants, ...database.unreadable].filter(({ schema }) => !known.has(schema)).length;
    for (const tenant of tenants) {
      const drift = drifts.get(tenant.schema);
      if (drift !== undefined) approved.set(tenantKey(tenant), approvalOf(tenant, drift, saved, file));
    }
    return { ...database, tenants, unreadable };
  });
  return {
    plan: { ...assemble(databases, plan.asked, plan.failedDatabases), planId: file.planId },
    approved,
    appeared,
    gone,
  };
}

/** The outcome of a saved plan's tenants: those that went before the run began are among them. */
export function withGone(outcome: FleetOutcome, gone: CheckedPlan['gone']): FleetOutcome {
  const tenants = [
    ...outcome.tenants,
    ...gone.map((tenant) => ({ ...tenant, outcome: 'vanished' as const, changes: [], error: null })),
  ];
  return { ...outcome, tenants, summary: summariseOutcomes(tenants) };
}

/** Whether apply would change anything by this plan. */
export const approvesChanges = ({ approved }: PlanFile): boolean =>
  approved.databases.some(({ changes, classes }) =>
    [...changes, ...classes.flat()].some(({ status }) => status === 'pending'),
  );

/** A schema that the saved plan makes need not exist. */
const isMade = (drift: ApprovedDrift | undefined, { classes }: ApprovedDatabase): boolean =>
  drift !== undefined && (classes[drift.class] ?? []).some(({ action }) => action === 'create-schema');

function approvalOf(
  tenant: PlannedTenant,
  drift: ApprovedDrift,
  saved: ApprovedDatabase,
  file: PlanFile,
): ApprovedTenant {
  const { fingerprint } = drift;
  if (fingerprint !== tenant.fingerprint) return { fingerprint, statements: new Set() };
  const expected = keysByClass(saved)[drift.class] ?? [];
  const at = tenant.changes.findIndex(
    ({ change, members }, place) =>
      keyOf(change) !== expected[place] || JSON.stringify(members) !== JSON.stringify(drift.members?.[place] ?? null),
  );
  const other = at < 0 && tenant.changes.length !== expected.length ? tenant.changes.length : at;
  if (other >= 0 || (drift.owner ?? null) !== tenant.owner) {
    const change = saved.classes[drift.class]?.[other] ?? tenant.changes[other]?.change;
    throw mismatch(
      `${notOfThisDiff(file)}: what it holds for schema "${tenant.schema}" is not what this run would do${change === undefined ? '' : `: ${change.action} ${change.object}`}`,
      'make a new plan; nothing was done',
    );
  }
  const pending = tenant.changes.filter(isPending);
  return {
    fingerprint,
    statements: new Set(pending.flatMap((item) => statementsOf(item, tenant).map(({ sql }) => sql))),
  };
}

/** Another version of trueup may make the same change by other statements, which is nobody's edit. */
const notOfThisDiff = ({ trueupVersion }: PlanFile): string =>
  `the plan file was edited, or the trueup that made it (${trueupVersion.slice(0, 40)}) makes other statements than this one`;

/** A database's change that is needed no more is no loss; one that nobody approved is. */
function checkDatabaseChanges(
  saved: ApprovedDatabase,
  { databaseChanges, desired, id }: DatabasePlan,
  file: PlanFile,
): void {
  const expected = new Map(saved.changes.map((change) => [change.object, change]));
  for (const change of databaseChanges) {
    const one = expected.get(change.object);
    if (one === undefined || contentOf(one) !== keyOf(change))
      throw mismatch(
        `database ${id} needs a change that is not the plan's: ${change.action} ${change.object}`,
        'make a new plan; nothing was done',
      );
  }
  const names = new Set(desired.extensions.map(({ name }) => name));
  for (const { action, object } of saved.changes)
    if (action !== 'create-extension' || !names.has(object))
      throw mismatch(
        `${notOfThisDiff(file)}: its change of database ${id} is not what this run would do: ${action} ${object}`,
        'make a new plan; nothing was done',
      );
}

/** What must be the same. Reasons and hazards tell of figures that move: scans, rows. */
const contentOf = ({ phase, action, table, object, family, status, statements, undo }: ApprovedChange): string =>
  JSON.stringify([phase, action, table, object, family, status, statements, undo]);

const keyOf = oncePerObject((change: Change): string => contentOf(approvedChange(change)));

/** The keys of the changes of each class: made once a class, not once a tenant. */
const keysByClass = oncePerObject(({ classes }: ApprovedDatabase): readonly (readonly string[])[] =>
  classes.map((changes) => changes.map(contentOf)),
);

const mismatch = (message: string, remedy: string, where?: string): TrueupError =>
  new TrueupError('PLAN_FILE_MISMATCH', message, { remedy, ...(where === undefined ? {} : { where }) });
