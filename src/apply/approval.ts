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
    .filter(({ change }) => change.status === 'pending')
    .some((item) => statementsOf(item, tenant).some(({ sql }) => !approval.statements.has(sql)));
  return other ? stale(tenant.schema, 'what it needs now is not in the plan') : null;
}

const stale = (schema: string, why: string): TenantFailure => ({
  code: 'PLAN_STALE',
  message: `schema "${schema}" was left alone: ${why}`,
  sqlstate: null,
  remedy: 'make a new plan for it (trueup plan --out FILE), look at it, and apply that',
});
