import { discoverTenants } from '../catalog/discover.js';
import type { Database, Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import { type Reload, type Resolved, resolveAlternatives, variantsOf } from './desired-variants.js';
import type { DatabasePlan } from './fleet-plan.js';
import { mergeParts } from './merge-parts.js';
import { notPlanned } from './not-planned.js';
import { planVariant } from './plan-variant.js';
import type { PlanRequest } from './request.js';

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
  return mergeParts(parts, resolved.diagnostics);
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
  if (parts.length === 0) return [await planVariant(database, session, { ...request, desired })];
  const unseen = notPlanned(found, database.id);
  return parts.map((part, at) => (at === 0 ? { ...part, diagnostics: [...unseen, ...part.diagnostics] } : part));
}
