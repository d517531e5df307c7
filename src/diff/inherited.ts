import type { Kin } from '../catalog/fact-types.js';
import type { ConstraintShape, TableShape } from '../shape/table-shape.js';
import type { Alteration } from '../sql/ddl/table.js';
import { quoteIdentifier } from '../sql/quote.js';
import { alterations, blocked, type Change, namesFor, type TenantChange } from './change.js';
import type { DiffContext } from './context.js';

/** A change, refused where it alters what the table inherits: PostgreSQL would refuse it in every run. */
export function sparingInherited(item: TenantChange, actual: TableShape, kin: Kin): Change {
  const [what] = alterations(item.change).flatMap((altered) => inherited(altered, item, actual, kin) ?? []);
  return what === undefined ? item.change : refused(item.change, what, kin);
}

/** Constraints without a parent's checks: those take no other name, so that they serve for no declared one. */
export function withoutInherited(
  constraints: readonly ConstraintShape[],
  { name: table, hasKin }: TableShape,
  { facts }: DiffContext,
): readonly ConstraintShape[] {
  if (hasKin !== true || constraints.every(({ kind }) => kind !== 'check')) return constraints;
  const inherited = facts.kin(table)?.constraints ?? [];
  return constraints.filter((one) => one.kind !== 'check' || !inherited.includes(one.name));
}

/** What of that which a statement alters is the parent's, in words; null for what is the table's own to alter. */
function inherited(
  altered: Alteration,
  { change, members }: TenantChange,
  actual: TableShape,
  kin: Kin,
): string | null {
  if ('column' in altered) return inheritedColumn(altered, kin);
  if ('identity' in altered) {
    const { identity: column } = altered;
    return kin.fixedIdentity && kin.columns.includes(column) ? `whether column ${column} is an identity` : null;
  }
  if ('newConstraint' in altered) return null;
  const isRenamed = altered.how === 'RENAME' && /^rename-(?:constraint|index)$/u.test(change.action);
  if ('constraint' in altered) {
    const { constraint, how } = altered;
    const isCheck = actual.constraints.some((one) => one.kind === 'check' && one.name === constraint);
    // A key or foreign key that is inherited can have another name than its parent's; one that is renamed to go cannot go.
    const isOwn = how === 'VALIDATE' || (isRenamed && !isCheck);
    return !isOwn && kin.constraints.includes(constraint) ? `constraint ${constraint}` : null;
  }
  const names = namesFor(altered.index, members);
  const index = isRenamed ? undefined : kin.indexes.find((one) => names.includes(one));
  return index === undefined ? null : `index ${index}`;
}

function inheritedColumn(
  { column, how }: Extract<Alteration, { readonly column: string }>,
  { isPartition, columns, notNulls }: Kin,
): string | null {
  switch (how) {
    case 'ADD COLUMN':
      return isPartition ? 'the list of its columns' : null;
    case 'DROP COLUMN':
    case 'RENAME COLUMN':
    case 'TYPE':
    case 'DROP EXPRESSION':
      return columns.includes(column) ? `column ${column}` : null;
    case 'DROP NOT NULL':
      return notNulls.includes(column) ? `NOT NULL of column ${column}` : null;
    default:
      return null;
  }
}

function refused(made: Change, what: string, { parents, isPartition }: Kin): Change {
  const table = quoteIdentifier(made.table);
  const [parent = ''] = parents;
  const end = isPartition ? `ALTER TABLE ${parent} DETACH PARTITION` : `ALTER TABLE ${table} NO INHERIT`;
  return blocked(
    made,
    `${what} comes from ${parents.join(', ')}, ${isPartition ? 'which the table is a partition of' : 'which the table inherits from'}: PostgreSQL changes it there alone`,
    `change ${parents.join(', ')}, which changes it here as well, or end that with ${end} …, then apply`,
  );
}
