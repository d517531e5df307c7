import { grantOf, readNotReferable } from '../catalog/referable.js';
import type { Session } from '../database/session.js';
import type { Change } from '../diff/change.js';
import { sharedTable } from '../diff/step.js';
import type { TableReference } from '../shape/table-shape.js';
import type { Diagnostic, PlannedTenant } from './fleet-plan.js';

/**
 * A warning for each table that tenants share and that the role may not make the planned foreign keys onto: apply fails there,
 * as the same role. No refusal: another role may apply, and does where this one owns none of the tables. Asked only where such
 * keys are to be made.
 */
export async function notReferableDiagnostics(
  session: Session,
  tenants: readonly PlannedTenant[],
  { id, role }: { readonly id: string; readonly role: string },
): Promise<readonly Diagnostic[]> {
  const seen = new Set<Change>();
  const onto: TableReference[] = [];
  let own: { readonly schema: string; readonly table: string } | null = null;
  for (const { schema, changes } of tenants)
    for (const { change } of changes) {
      if (
        seen.has(change) ||
        change.status !== 'pending' ||
        !/^(?:(?:add|replace)-constraint|alter-column)$/u.test(change.action)
      )
        continue;
      seen.add(change);
      const shared = change.steps.flatMap((step) => sharedTable(step) ?? []);
      if (shared.length > 0) own ??= { schema, table: change.table };
      onto.push(...shared);
    }
  if (own === null) return [];
  const found = await readNotReferable(session, onto, own);
  return found.map((table) => ({
    severity: 'warning',
    code: 'NOT_REFERABLE',
    message: `role ${role} may not make foreign keys onto ${table}: apply as that role would fail where one is to be made`,
    remedy: grantOf(table),
    database: id,
    schema: null,
  }));
}
