import type { ConstraintShape, TableShape } from '../shape/table-shape.js';
import { blocked, type Change } from './change.js';
import type { DiffContext } from './context.js';

/** A change that drops a key, refused where foreign keys rest on it: PostgreSQL would refuse it in every run. */
export function sparingReferenced(
  made: Change,
  existing: ConstraintShape,
  actual: TableShape,
  context: DiffContext,
): Change {
  const resting = restingOn(existing, actual, context);
  if (resting.length === 0) return made;
  return blocked(
    made,
    `${resting.join(', ')} rest${resting.length === 1 ? 's' : ''} on it, and PostgreSQL refuses to drop a key under a foreign key`,
    'drop the foreign keys that rest on it, then apply: it makes the declared ones again',
  );
}

/** Foreign keys of the tenant's declared tables that no other key of this table could serve. */
function restingOn(existing: ConstraintShape, actual: TableShape, context: DiffContext): readonly string[] {
  if (!('include' in existing)) return [];
  const over = (columns: readonly string[]) => JSON.stringify([...columns].sort());
  const columns = over(existing.columns);
  const others = actual.constraints.some(
    (other) => other.name !== existing.name && 'include' in other && over(other.columns) === columns,
  );
  if (others) return [];
  return [...context.actualTables.values()].flatMap((table) =>
    table.constraints.flatMap((other) =>
      other.kind === 'foreign-key' && other.references === actual.name && over(other.referencedColumns) === columns
        ? [`foreign key ${other.name} of table ${table.name}`]
        : [],
    ),
  );
}
