import { isPending } from '../diff/change.js';
import type { PlannedTenant } from '../plan/fleet-plan.js';
import type { TenantFailure } from './outcome.js';
import { type ApprovedTenants, tenantKey } from './request.js';
import { statementsOf } from './statements.js';

/**
 * Why a tenant's changes are not what a saved plan approved; null: they are, or nobody asked. A tenant that this run has
 * begun on has another fingerprint by its own doing: there, every statement that is left must be an approved one.
 */
export function approvalFailure(
  tenant: PlannedTenant,
  approved: ApprovedTenants | null,
  begun: boolean,
): TenantFailure | null {
  if (approved === null) return null;
  const approval = approved.get(tenantKey(tenant));
  if (approval === undefined) return stale(tenant.schema, 'the plan has no changes for it');
  if (!begun) return approval.fingerprint === tenant.fingerprint ? null : stale(tenant.schema, 'it has changed since');
  const other = tenant.changes
    .filter(isPending)
    .some((item) => statementsOf(item, tenant).some(({ sql }) => !approval.statements.has(sql)));
  return other ? stale(tenant.schema, 'what it needs now is not in the plan') : null;
}

/**
 * Why a tenant is not what the run's own plan was made of: a table that was there is gone, moved or renamed, say. To make it
 * again, empty, would hide that, and nobody saw it planned. Null: none is.
 * @param planned the tenant as that plan has it; null for one that is not in it
 */
export function lossFailure(tenant: PlannedTenant, planned: PlannedTenant | null): TenantFailure | null {
  if (planned === null || planned.isNew) return null;
  const foreseen = new Set(madeTables(planned));
  const lost = madeTables(tenant).find((table) => !foreseen.has(table));
  return lost === undefined ? null : stale(tenant.schema, `its table "${lost}" is gone since the plan was made`);
}

const madeTables = ({ changes }: PlannedTenant): readonly string[] =>
  changes.flatMap(({ change }) => (change.action === 'create-table' ? [change.table] : []));

const stale = (schema: string, why: string): TenantFailure => ({
  code: 'PLAN_STALE',
  message: `schema "${schema}" was left alone: ${why}`,
  sqlstate: null,
  remedy: 'make a new plan for it (trueup plan --out FILE), look at it, and apply that',
});
