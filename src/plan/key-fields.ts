import type { DesiredIndex, DesiredTable } from '../desired-state/model.js';
import { revised, type TenantChange } from '../diff/change.js';
import { isKey } from '../shape/table-shape.js';
import type { Diagnostic, PlannedTenant } from './fleet-plan.js';

/**
 * Builds of indexes whose method takes a column for a unique key that nothing makes unique: the hazard is stated, and no
 * constraint is added, since the application may know better.
 */
export function noteKeyFields(
  changes: readonly TenantChange[],
  tables: readonly DesiredTable[],
): readonly TenantChange[] {
  return revised(changes, (change) => {
    if (change.action !== 'create-index' && change.action !== 'rebuild-index') return change;
    const table = tables.find((candidate) => candidate.name === change.table);
    const index = table?.indexes.find((candidate) => candidate.name === change.object);
    if (table === undefined || index === undefined || !isDoubtful(index, table)) return change;
    return { ...change, hazards: [...change.hazards, 'KEY_NOT_UNIQUE'] };
  });
}

/** A warning for each such index that some tenant gets. */
export function keyFieldDiagnostics(
  tenants: readonly PlannedTenant[],
  tables: readonly DesiredTable[],
  database: string,
): readonly Diagnostic[] {
  const changed = new Set(
    tenants.flatMap((tenant) =>
      tenant.changes.flatMap(({ change }) =>
        change.hazards.includes('KEY_NOT_UNIQUE') ? [`${change.table}.${change.object}`] : [],
      ),
    ),
  );
  return tables.flatMap((table) =>
    table.indexes
      .filter((index) => changed.has(`${table.name}.${index.name}`))
      .map((index) => ({
        severity: 'warning' as const,
        code: 'KEY_NOT_UNIQUE' as const,
        message: `index ${index.name} takes column ${index.keyField} of ${table.name} for a unique key, and nothing declared makes it unique`,
        remedy: 'see that no two rows of a tenant share a value; no constraint is added',
        database,
        schema: null,
      })),
  );
}

function isDoubtful(index: DesiredIndex, table: DesiredTable): boolean {
  const { keyField } = index;
  if (keyField === null) return false;
  const alone = (columns: readonly (string | null)[]) => columns.length === 1 && columns[0] === keyField;
  const byConstraint = table.constraints.some((constraint) => isKey(constraint) && alone(constraint.columns));
  const byIndex = table.indexes.some(
    (other) => other.unique && other.where === null && alone(other.keys.map((key) => key.column)),
  );
  return !byConstraint && !byIndex;
}
