import { relationsRead } from '../catalog/catalog-scope.js';
import { DatabaseMemory } from '../catalog/database-memory.js';
import type { Tenant } from '../catalog/discover.js';
import { copiedOf } from '../catalog/expected-members.js';
import { readOwned } from '../catalog/owned-reads.js';
import { isDigested } from '../catalog/ownership-filter.js';
import { RowsAhead } from '../catalog/rows-ahead.js';
import { type OpenBeside, WORTH_A_SESSION } from '../catalog/shared-snapshot.js';
import { type CatalogSnapshot, readCatalog } from '../catalog/snapshot.js';
import { known } from '../collections.js';
import { type DatabasePlace, placeOf } from '../database/database-place.js';
import type { Database, Session } from '../database/session.js';
import type { DesiredState, DesiredTable } from '../desired-state/model.js';
import type { Change } from '../diff/change.js';
import { Answers } from './answers.js';
import { checkBackends } from './check-backends.js';
import { checkExtensions, type ExtensionCheck } from './check-extensions.js';
import { checkEvaluatedFragments, checkTenantQuery } from './check-fragments.js';
import { checkMadeExpressions } from './check-made-expressions.js';
import { checkMadeIndexes } from './check-made-indexes.js';
import { checkMadeTypes } from './check-made-types.js';
import { checkTypes } from './check-types.js';
import type { DatabasePlan, PlannedTenant, UnreadableTenant } from './fleet-plan.js';
import { heldMethods } from './held-methods.js';
import { keyFieldDiagnostics } from './key-fields.js';
import { notOwnedDiagnostics } from './not-owned.js';
import { notPlanned } from './not-planned.js';
import { notReferableDiagnostics } from './not-referable.js';
import { type Attempt, type Locked, pastLocks } from './past-locks.js';
import { planTenants } from './plan-tenants.js';
import { Planned } from './planned-tenant.js';
import { provisioned } from './provision.js';
import type { PlanRequest } from './request.js';
import { resolveNames } from './resolve-names.js';
import { schemasOfFiles } from './schemas-of-files.js';
import { searchPathDiagnostics } from './search-path.js';
import { type TenantRead, type TenantResult, tenantsOf } from './tenant-read.js';

/** Plans the tenants that one desired state is about, past those that somebody locks. */
export async function planVariant(database: Database, session: Session, request: PlanRequest): Promise<DatabasePlan> {
  const desired = inFocus(request.desired, request.focus);
  const { schemas } = request.selection;
  return pastLocks(session, { tables: relationsRead(desired), schemas, progress: request.progress }, (attempt) =>
    RowsAhead.during((ahead) => planUnlocked(database, session, { ...request, desired }, { ...attempt, ahead })),
  );
}

const inFocus = (desired: DesiredState, focus: PlanRequest['focus']): DesiredState =>
  focus === undefined ? desired : { ...desired, tables: desired.tables.filter((table) => focus.has(table.name)) };

/** How the tenants are read, and what of their rows is looked at meanwhile. */
interface Reading extends Attempt {
  readonly ahead: RowsAhead;
}

async function planUnlocked(
  database: Database,
  session: Session,
  request: PlanRequest,
  reading: Reading,
): Promise<DatabasePlan> {
  const { progress, desired, memory = new DatabaseMemory(), made = false } = request;
  if (desired.tenants.query !== null) await checkTenantQuery(session, desired.tenants.query);
  progress.phase('reading catalogs');
  // A batch of an apply names its schemas, and its sessions are all at work.
  const wholeFleet = request.selection.schemas.length === 0 && database.maxSessions > 1;
  const beside = wholeFleet && !reading.isLast ? () => database.connect() : null;
  const snapshot = await readSnapshot(session, { ...request, memory }, beside, reading);
  // Which backend the fleet runs explains more than what the default one lacks.
  const place = placeOf(database);
  checkBackends(desired, snapshot, place);
  const held = heldMethods(desired, snapshot);
  const extensions = checkExtensions(desired, snapshot, place, held);
  if (snapshot.tenants.length > 0) await checkEvaluatedFragments(session, desired, memory.checked);

  const tables = await resolveNames(desired.tables, snapshot);
  await checkTypes(tables, desired.extensions, snapshot, place);
  const reads = tenantsOf(snapshot);
  progress.phase('comparing tenants', reads.length);
  const { names, bySchema, isDefaultOpclass, kinds, memberSeed } = snapshot;
  const answers = new Answers({
    session,
    names,
    release: desired.release,
    beside,
    memory,
    presumes: request.presumes,
  });
  const results = await planTenants(reads, {
    session,
    beside,
    ahead: reading.ahead,
    progress,
    desired,
    tables,
    allow: request.allow,
    made,
    held,
    answers,
    isDefaultOpclass,
    kinds,
    memberSeed,
    readOwned: (schemas) => {
      const those = schemas.flatMap((schema) => bySchema.get(schema) ?? []);
      return readOwned(session, desired, those, names);
    },
  });
  // A batch of an apply goes by the plan.
  if (request.again !== true) await checkMade(session, tables, results.values(), { database: place, extensions });
  const { tenants, unreadable } = partitioned(reads, results, { database: database.id, desired, answers });
  const role = snapshot.session.user;
  return {
    ...place,
    serverVersion: snapshot.session.serverVersion,
    role,
    desired,
    databaseChanges: extensions.changes,
    diagnostics: [
      ...extensions.diagnostics,
      ...notPlanned(snapshot, database.id),
      ...keyFieldDiagnostics(tenants, tables, database.id),
      ...(await searchPathDiagnostics(session, desired.phases, database)),
      // A batch of an apply finds out by itself.
      ...(request.again === true
        ? []
        : [
            ...(await notOwnedDiagnostics(session, tenants, { id: database.id, role })),
            ...(await notReferableDiagnostics(session, tenants, { id: database.id, role })),
          ]),
    ],
    tenants,
    unreadable: [...unreadable, ...snapshot.leftOut.map((schema) => lockedTenant(database.id, schema, reading.locked))],
    shapes: snapshot.groups.length,
    unmanaged: snapshot.unmanaged,
    allowedSchemas: [...new Set([...extensions.schemas, ...(await schemasOfFiles(desired.tables))])],
    shard: request.selection.shard ?? null,
  };
}

/**
 * What changes are to make must be possible in this database: else every tenant would fail at the same statement.
 * @throws {TrueupError} DESIRED_STATE_INVALID, naming what is not.
 */
async function checkMade(
  session: Session,
  tables: readonly DesiredTable[],
  results: Iterable<TenantResult>,
  where: { readonly database: DatabasePlace; readonly extensions: ExtensionCheck },
): Promise<void> {
  const changes = new Set<Change>();
  for (const result of results) if ('changes' in result) for (const { change } of result.changes) changes.add(change);
  await checkMadeTypes(session, tables, changes, where);
  await checkMadeIndexes(session, tables, changes, where);
  await checkMadeExpressions(session, tables, changes, where.database);
}

function readSnapshot(
  session: Session,
  request: PlanRequest & { readonly memory: DatabaseMemory },
  beside: OpenBeside,
  { locked, ahead }: Reading,
): Promise<CatalogSnapshot> {
  const { desired, memory, made = false, again = false } = request;
  return readCatalog(session, desired, request.selection, {
    beside,
    counts: request.focus === undefined && request.counts !== false,
    memory,
    made,
    again,
    ...(beside === null ? {} : { passed: (tenants) => lookAhead(ahead, beside, desired, tenants) }),
    without: locked,
  });
}

/** Begins to look at the tables that families take their rows from, where two sessions are to read those. */
function lookAhead(
  ahead: RowsAhead,
  open: () => Promise<Session>,
  { tables }: DesiredState,
  tenants: readonly Tenant[],
): void {
  if (tenants.length < WORTH_A_SESSION) return;
  const families = tables.filter(isDigested).flatMap((table) => table.families);
  const schemas = tenants.map((tenant) => tenant.schema);
  ahead.begin(open, schemas, () => Promise.all(families.map(copiedOf)));
}

const lockedTenant = (database: string, schema: string, locked: Locked): UnreadableTenant => ({
  database,
  schema,
  code: 'TENANT_LOCKED',
  message: known(locked.get(schema), 'who locks a tenant'),
});

/** Results as planned tenants, and those that could not be read. */
function partitioned(
  reads: readonly TenantRead[],
  results: ReadonlyMap<string, TenantResult>,
  of: { readonly database: string; readonly desired: DesiredState; readonly answers: Answers },
) {
  const { database, desired } = of;
  const tenants: PlannedTenant[] = [];
  const unreadable: UnreadableTenant[] = [];
  for (const read of reads) {
    const { schema, isNew } = read;
    const result = results.get(schema);
    if (result === undefined) continue;
    if ('problem' in result) {
      unreadable.push({ database, schema, code: 'TENANT_UNREADABLE', message: result.problem });
      continue;
    }
    const phase = desired.phases[0]?.name ?? '';
    const changes =
      read.tables.size === 0 ? provisioned(result.changes, desired.release, phase, !isNew) : result.changes;
    tenants.push(new Planned(read, database, changes, of.answers.owner(schema), desired.phases));
  }
  return { tenants, unreadable };
}
