import { relationsRead } from '../catalog/catalog-scope.js';
import { DatabaseMemory } from '../catalog/database-memory.js';
import { discoverTenants, type LookAlike, type Tenant, type TenantSelection } from '../catalog/discover.js';
import { copiedOf } from '../catalog/expected-members.js';
import { readOwned } from '../catalog/owned-reads.js';
import { isDigested } from '../catalog/ownership-filter.js';
import { RowsAhead } from '../catalog/rows-ahead.js';
import { WORTH_A_SESSION } from '../catalog/shared-snapshot.js';
import { readCatalog } from '../catalog/snapshot.js';
import type { Unmanaged } from '../catalog/unmanaged.js';
import { known } from '../collections.js';
import { placeOf } from '../database/database-place.js';
import type { Database, Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import type { DesiredState } from '../desired-state/model.js';
import type { Approval } from '../diff/context.js';
import type { Progress } from '../progress.js';
import { Answers } from './answers.js';
import { checkBackends } from './check-backends.js';
import { checkExtensions } from './check-extensions.js';
import { checkEvaluatedFragments, checkTenantQuery } from './check-fragments.js';
import { checkTypes } from './check-types.js';
import { type Reload, type Resolved, resolveAlternatives, variantsOf } from './desired-variants.js';
import type { DatabasePlan, Diagnostic, PlannedTenant, UnreadableTenant } from './fleet-plan.js';
import { heldMethods } from './held-methods.js';
import { keyFieldDiagnostics } from './key-fields.js';
import { notOwnedDiagnostics } from './not-owned.js';
import { type Attempt, type Locked, pastLocks } from './past-locks.js';
import { planTenants } from './plan-tenants.js';
import { Planned } from './planned-tenant.js';
import { provisioned } from './provision.js';
import { resolveNames } from './resolve-names.js';
import { searchPathDiagnostics } from './search-path.js';
import { type TenantRead, type TenantResult, tenantsOf } from './tenant-read.js';

/** What a plan is asked for. */
export interface PlanRequest {
  readonly desired: DesiredState;
  /** Loads the files anew for alternatives and overrides; without it neither is followed. */
  readonly reload?: Reload;
  readonly selection: TenantSelection;
  readonly allow: ReadonlySet<Approval>;
  readonly progress: Progress;
  /** Names of tables: no other is looked at. What that shows of a tenant holds for these tables alone. */
  readonly focus?: ReadonlySet<string>;
  /** What the run has learnt of the database before; left out: nothing. */
  readonly memory?: DatabaseMemory;
  /**
   * Whether rows that the memory says were not there count as not there still: for what is made under a lock, where that is
   * checked again. Left out: no.
   */
  readonly presumes?: boolean;
  /**
   * Whether these tenants were made a moment ago, of nothing and by these very files: another one that was made so and is alike was
   * found in order, or not, as this one. Left out: no.
   */
  readonly made?: boolean;
  /** Whether such a plan, of other tenants maybe, is asked for again over the same connections, none of which is shared. Left out: no. */
  readonly again?: boolean;
  /** Whether what nothing declares is counted; it is not where only some tables are looked at. Left out: yes. */
  readonly counts?: boolean;
}

/**
 * Plans one database's tenants. Reads only: catalogs in one snapshot first, then rows, and only those that a fact needs.
 * That order: a row that comes meanwhile has its indexes unseen, never its indexes orphaned.
 */
export async function planDatabase(database: Database, session: Session, request: PlanRequest): Promise<DatabasePlan> {
  const { reload } = request;
  if (reload === undefined) return planVariant(database, session, request);
  const resolved = await resolveAlternatives(session, request.desired, reload, database.id);
  const resolvedRequest = { ...request, desired: resolved.desired };
  const parts =
    resolved.desired.overrides.length === 0
      ? [await planVariant(database, session, resolvedRequest)]
      : await planOverrides(database, session, request, resolved, reload);
  const [first] = parts;
  if (first === undefined) throw new Error('internal: a plan without a part');
  const all = merged(parts);
  const said = [...resolved.diagnostics, ...all.diagnostics];
  return { ...first, ...all, diagnostics: [...new Map(said.map((one) => [JSON.stringify(one), one])).values()] };
}

/** Tenants that overrides name are planned by their own files' state, beside the others. */
async function planOverrides(
  database: Database,
  session: Session,
  request: PlanRequest,
  resolved: Resolved,
  reload: Reload,
): Promise<readonly DatabasePlan[]> {
  const { selection } = request;
  const { desired } = resolved;
  const found = await inTransaction(session, 'read only snapshot', () =>
    discoverTenants(session, desired.tenants, selection, desired.directory),
  );
  const schemas = [...found.tenants.map((tenant) => tenant.schema), ...found.absent];
  const everyTenant = selection.schemas.length === 0;
  const parts: DatabasePlan[] = [];
  for (const variant of await variantsOf(session, resolved, schemas, reload, database.id)) {
    // Without a name the selection would be every tenant again.
    if (variant.schemas.length === 0) continue;
    // Nobody named a tenant that was dropped since then: it is neither refused nor made anew.
    const allowAbsent = everyTenant || selection.allowAbsent;
    const part = { ...selection, schemas: variant.schemas, exclude: [], allowAbsent };
    const plan = await planVariant(database, session, { ...request, desired: variant.desired, selection: part });
    const diagnostics = [...variant.diagnostics, ...plan.diagnostics];
    const tenants = everyTenant ? plan.tenants.filter((tenant) => !tenant.isNew) : plan.tenants;
    parts.push({ ...plan, tenants, diagnostics });
  }
  const lookAlike = lookAlikes(found.lookAlikes, database.id);
  if (parts.length === 0) return [await planVariant(database, session, { ...request, desired })];
  return parts.map((part, at) => (at === 0 ? { ...part, diagnostics: [...lookAlike, ...part.diagnostics] } : part));
}

function merged(parts: readonly DatabasePlan[]) {
  const byName = <T extends { readonly schema: string }>(list: readonly T[]) =>
    [...list].sort((left, right) => (left.schema < right.schema ? -1 : 1));
  return {
    databaseChanges: [
      ...new Map(parts.flatMap((part) => part.databaseChanges).map((made) => [made.object, made])).values(),
    ],
    diagnostics: [...new Map(parts.flatMap((part) => part.diagnostics).map((one) => [one.message, one])).values()],
    tenants: byName(parts.flatMap((part) => part.tenants)),
    unreadable: byName(parts.flatMap((part) => part.unreadable)),
    shapes: sum(parts.map((part) => part.shapes)),
    unmanaged: together(parts.map((part) => part.unmanaged)),
    extensionSchemas: [...new Set(parts.flatMap((part) => part.extensionSchemas))],
  };
}

function together(counts: readonly (Unmanaged | null)[]): Unmanaged | null {
  const known = counts.filter((count) => count !== null);
  if (known.length < counts.length) return null;
  return {
    tables: sum(known.map((count) => count.tables)),
    columns: sum(known.map((count) => count.columns)),
    indexes: sum(known.map((count) => count.indexes)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

async function planVariant(database: Database, session: Session, request: PlanRequest): Promise<DatabasePlan> {
  const desired = inFocus(request.desired, request.focus);
  const { schemas } = request.selection;
  return pastLocks(session, { tables: relationsRead(desired), schemas, progress: request.progress }, (attempt) =>
    RowsAhead.during((ahead) => planUnlocked(database, session, { ...request, desired }, { ...attempt, ahead })),
  );
}

async function planUnlocked(
  database: Database,
  session: Session,
  request: PlanRequest,
  { locked, isLast, ahead }: Attempt & { readonly ahead: RowsAhead },
): Promise<DatabasePlan> {
  const { progress, desired } = request;
  if (desired.tenants.query !== null) await checkTenantQuery(session, desired.tenants.query);
  progress.phase('reading catalogs');
  // A batch of an apply names its schemas, and its sessions are all at work.
  const wholeFleet = request.selection.schemas.length === 0 && database.maxSessions > 1;
  const beside = wholeFleet && !isLast ? () => database.connect() : null;
  const counts = request.focus === undefined && request.counts !== false;
  const memory = request.memory ?? new DatabaseMemory();
  const snapshot = await readCatalog(session, desired, request.selection, {
    beside,
    counts,
    memory,
    made: request.made === true,
    again: request.again === true,
    ...(beside === null ? {} : { passed: (tenants) => lookAhead(ahead, beside, desired, tenants) }),
    without: locked,
  });
  // Which backend the fleet runs explains more than what the default one lacks.
  checkBackends(desired, snapshot, database.id);
  const held = heldMethods(desired, snapshot);
  const extensions = checkExtensions(desired.extensions, snapshot, database.id, held);
  if (snapshot.tenants.length > 0) await checkEvaluatedFragments(session, desired, memory.checked);

  const reads = tenantsOf(snapshot);
  const tables = await resolveNames(desired.tables, snapshot);
  await checkTypes(tables, desired.extensions, snapshot, database.id);
  progress.phase('comparing tenants', reads.length);
  const answers = new Answers(session, snapshot.names, desired.release, beside, memory, request.presumes);
  const results = await planTenants(reads, {
    session,
    beside,
    ahead,
    desired,
    tables,
    allow: request.allow,
    isDefaultOpclass: snapshot.isDefaultOpclass,
    answers,
    kinds: snapshot.kinds,
    made: request.made === true,
    memberSeed: snapshot.memberSeed,
    readOwned: (schemas) =>
      readOwned(
        session,
        desired,
        schemas.flatMap((schema) => snapshot.bySchema.get(schema) ?? []),
        snapshot.names,
      ),
    held,
    progress,
  });
  const { tenants, unreadable } = partitioned(reads, results, { database: database.id, desired, answers });
  return {
    ...placeOf(database),
    serverVersion: snapshot.session.serverVersion,
    role: snapshot.session.user,
    desired,
    databaseChanges: extensions.changes,
    diagnostics: [
      ...extensions.diagnostics,
      ...lookAlikes(snapshot.lookAlikes, database.id),
      ...keyFieldDiagnostics(tenants, tables, database.id),
      ...(await searchPathDiagnostics(session, desired.phases, database)),
      // A batch of an apply finds out by itself.
      ...(request.again === true
        ? []
        : await notOwnedDiagnostics(session, tenants, { id: database.id, role: snapshot.session.user })),
    ],
    tenants,
    unreadable: [...unreadable, ...snapshot.leftOut.map((schema) => lockedTenant(database.id, schema, locked))],
    shapes: snapshot.groups.length,
    unmanaged: snapshot.unmanaged,
    extensionSchemas: extensions.schemas,
    shard: request.selection.shard ?? null,
  };
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

const inFocus = (desired: DesiredState, focus: PlanRequest['focus']): DesiredState =>
  focus === undefined ? desired : { ...desired, tables: desired.tables.filter((table) => focus.has(table.name)) };

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

function lookAlikes(found: readonly LookAlike[], database: string): readonly Diagnostic[] {
  return found.map(({ schema, has, lacks }) => ({
    severity: 'warning',
    code: 'LOOKS_LIKE_A_TENANT',
    message: `schema "${schema}" has ${has.join(', ')} but not ${lacks.join(', ')}: not planned, maybe a damaged tenant`,
    remedy: `name it to plan it as a tenant: --schema ${schema}; or leave it out for good: tenants.exclude in fleet.yaml`,
    database,
    schema,
  }));
}
