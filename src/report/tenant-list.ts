import { stringify } from 'csv-stringify/sync';
import type { Change } from '../diff/change.js';
import type { FleetPlan, PlannedTenant } from '../plan/fleet-plan.js';
import { TENANT_LIST_COLUMNS } from './tenant-list-columns.js';
import { subjectName } from './words.js';

/** What is to be done about a tenant: what apply would make, else what keeps it from making more. */
export type TenantState = 'in-sync' | 'pending' | 'blocked' | 'deferred' | 'unreadable';

/**
 * Who is in which class, as CSV (RFC 4180) with a head line: every tenant of the plan, by database and schema. The class is
 * its `id` in the JSON document; nothing comes from rows.
 */
export function tenantList(plan: FleetPlan): string {
  const classes = new Map<PlannedTenant, string>();
  for (const group of plan.classes) for (const tenant of group.tenants) classes.set(tenant, group.id);
  const tenants = plan.databases
    .flatMap((database) => database.tenants)
    .map((tenant) => {
      const changes = tenant.changes.map(({ change }) => change);
      return [
        tenant.database,
        tenant.schema,
        stateOf(changes),
        classes.get(tenant) ?? '',
        changes.map(words).join('; '),
      ];
    });
  const unreadable = plan.databases
    .flatMap((database) => database.unreadable)
    .map(({ database, schema }) => [database, schema, 'unreadable', '', '']);
  const rows = [...tenants, ...unreadable].sort(byName);
  // Spreadsheets take a cell that begins so for a formula, and schema names are the tenants' own.
  return stringify([[...TENANT_LIST_COLUMNS], ...rows], { escape_formulas: true });
}

function stateOf(changes: readonly Change[]): TenantState {
  const has = (status: Change['status']) => changes.some((change) => change.status === status);
  if (has('pending')) return 'pending';
  if (has('blocked')) return 'blocked';
  return has('deferred') ? 'deferred' : 'in-sync';
}

/** `create-index items.items_body`, `rebuild-index items.items_body (blocked)`. */
function words({ action, table, object, family, status }: Change): string {
  const subject = subjectName({ table, object: family ?? object });
  return `${action} ${subject}${status === 'pending' ? '' : ` (${status})`}`;
}

function byName([database = '', schema = '']: readonly string[], [other = '', name = '']: readonly string[]): number {
  if (database !== other) return database < other ? -1 : 1;
  return schema < name ? -1 : 1;
}
