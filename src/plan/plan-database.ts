import type { TenantSelection } from '../catalog/discover.js';
import { type CatalogSnapshot, readCatalog } from '../catalog/snapshot.js';
import type { Database, Session } from '../database/session.js';
import type { DesiredState } from '../desired-state/model.js';
import type { TenantChange } from '../diff/change.js';
import type { Approval } from '../diff/context.js';
import type { Progress } from '../progress.js';
import { showSql } from '../sql/template.js';
import { Answers } from './answers.js';
import { checkBackends } from './check-backends.js';
import { checkExtensions } from './check-extensions.js';
import { checkEvaluatedFragments } from './check-fragments.js';
import { sha256 } from './drift-classes.js';
import type { DatabasePlan, Diagnostic, PlannedTenant, UnreadableTenant } from './fleet-plan.js';
import { planTenants, type TenantRead, tenantsOf } from './plan-tenants.js';
import { provisioned } from './provision.js';
import { resolveNames } from './resolve-names.js';

/** What a plan is asked for. */
export interface PlanRequest {
  readonly desired: DesiredState;
  readonly selection: TenantSelection;
  readonly allow: ReadonlySet<Approval>;
  readonly progress: Progress;
}

/**
 * Plans one database's tenants. Reads only: catalogs in one snapshot first, then rows, and only those that a fact needs.
 * That order: a bank made meanwhile has its indexes unseen, never its indexes orphaned.
 */
export async function planDatabase(database: Database, session: Session, request: PlanRequest): Promise<DatabasePlan> {
  const { desired, progress } = request;
  progress.phase('reading catalogs');
  const snapshot = await readCatalog(session, desired, request.selection);
  const extensions = checkExtensions(desired.extensions, snapshot, database.id);
  checkBackends(desired, snapshot, database.id);
  if (snapshot.tenants.length > 0) await checkEvaluatedFragments(session, desired);

  const reads = tenantsOf(snapshot);
  const answers = new Answers(session, snapshot.names, desired.release);
  const ownerOf = (schema: string) => snapshot.bySchema.get(schema)?.owner ?? snapshot.session.user;
  progress.phase('comparing tenants', reads.length);
  const results = await planTenants(reads, {
    session,
    desired,
    tables: await resolveNames(desired.tables, snapshot.names),
    allow: request.allow,
    isDefaultOpclass: snapshot.isDefaultOpclass,
    changesOwner: (schema) => ownerOf(schema) !== snapshot.session.user,
    answers,
    progress,
  });

  const tenants: PlannedTenant[] = [];
  const unreadable: UnreadableTenant[] = [];
  for (const read of reads) {
    const result = results.get(read.schema);
    if (result === undefined) continue;
    if ('problem' in result)
      unreadable.push({
        database: database.id,
        schema: read.schema,
        code: 'TENANT_UNREADABLE',
        message: result.problem,
      });
    else {
      const phase = desired.phases[0]?.name ?? '';
      const changes = read.isNew ? provisioned(result.changes, desired.release, phase) : result.changes;
      const fingerprint = fingerprintOf(read, changes);
      tenants.push({
        database: database.id,
        schema: read.schema,
        changes,
        fingerprint,
        owner: ownerOf(read.schema),
        isNew: read.isNew,
      });
    }
  }
  return {
    ...describe(database, snapshot),
    databaseChanges: extensions.changes,
    diagnostics: [...extensions.diagnostics, ...lookAlikes(snapshot, database.id)],
    tenants,
    unreadable,
    shapes: snapshot.groups.length,
    extensionSchemas: extensions.schemas,
  };
}

function describe(database: Database, snapshot: CatalogSnapshot) {
  const { target } = database;
  return {
    id: database.id,
    host: target.kind === 'embedded' ? 'embedded' : target.host,
    name: target.database,
    serverVersion: snapshot.session.serverVersion,
    role: snapshot.session.user,
    source: target.source,
  };
}

function lookAlikes(snapshot: CatalogSnapshot, database: string): readonly Diagnostic[] {
  return snapshot.lookAlikes.map(({ schema, has, lacks }) => ({
    severity: 'warning',
    code: 'LOOKS_LIKE_A_TENANT',
    message: `schema "${schema}" has ${has.join(', ')} but not ${lacks.join(', ')}: not planned, maybe a damaged tenant`,
    remedy: `name it to plan it as a tenant: --schema ${schema}; or leave it out for good: tenants.exclude in fleet.yaml`,
    database,
    schema,
  }));
}

/** What a tenant was and what it was to be changed into: its shape, its owned indexes, its members. */
function fingerprintOf(read: TenantRead, changes: readonly TenantChange[]): string {
  const owned = read.owned.map(({ table, index, definition }) => [table, index.name, definition, index.where]).sort();
  const wanted = changes.map(({ change, members }) => [
    change.action,
    change.status,
    change.steps.map((step) => showSql(step.sql)),
    members,
  ]);
  return `sha256:${sha256(JSON.stringify([read.hash, owned, wanted]))}`;
}
