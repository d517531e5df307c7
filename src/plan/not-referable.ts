import { grantOf, readNotReferable } from '../catalog/referable.js';
import type { Session } from '../database/session.js';
import type { TableReference } from '../shape/table-shape.js';
import type { Diagnostic, PlannedTenant } from './fleet-plan.js';

/**
 * A warning for each table that tenants share and that the role may not make the planned foreign keys onto: apply fails there,
 * as the same role. No refusal: another role may apply. Asked only where such keys are to be made.
 */
export async function notReferableDiagnostics(
  session: Session,
  tenants: readonly PlannedTenant[],
  { id, role }: { readonly id: string; readonly role: string },
): Promise<readonly Diagnostic[]> {
  const pending = new Set(
    tenants.flatMap(({ changes }) => changes.flatMap(({ change }) => (change.status === 'pending' ? change : []))),
  );
  const onto = [...pending].flatMap(({ action, steps }): readonly TableReference[] =>
    action === 'add-constraint' || action === 'replace-constraint'
      ? steps.flatMap(({ lock }) => lock.beside ?? [])
      : [],
  );
  const found = await readNotReferable(
    session,
    onto.filter(({ schema }) => schema !== null),
  );
  return found.map((table) => ({
    severity: 'warning',
    code: 'NOT_REFERABLE',
    message: `role ${role} may not make foreign keys onto ${table}: apply as that role would fail where one is to be made`,
    remedy: grantOf(table),
    database: id,
    schema: null,
  }));
}
