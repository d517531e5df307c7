import type { Kin } from '../catalog/presence.js';
import type { ConstraintShape, TableShape } from '../shape/table-shape.js';
import { addColumn, alterColumn, dropColumn } from '../sql/ddl/column.js';
import { dropConstraint, renamingConstraint } from '../sql/ddl/constraint.js';
import { dropIndex } from '../sql/ddl/index.js';
import { quoteIdentifier } from '../sql/quote.js';
import { name, SCHEMA, type SqlTemplate, sql } from '../sql/template.js';
import { blocked, type Change } from './change.js';
import type { DiffContext } from './context.js';

/** Whether some statement of a change begins so. */
export type Begins = (start: SqlTemplate) => boolean;

/** A change, refused where it changes what the table inherits: PostgreSQL would refuse it in every run. */
export function sparingInherited(made: Change, actual: TableShape, kin: Kin, begins: Begins): Change {
  const found = inheritedBy(made, actual, kin).find(({ starts }) => starts.some(begins));
  return found === undefined ? made : refused(made, found.what, kin);
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

/** What of the table is its parent's, and how the statements begin that PostgreSQL refuses for that. */
function inheritedBy(
  { action, table }: Change,
  actual: TableShape,
  { isPartition, fixedIdentity, columns, notNulls, constraints, indexes }: Kin,
): readonly { readonly what: string; readonly starts: readonly SqlTemplate[] }[] {
  const isRenaming = action === 'rename-constraint' || action === 'rename-index';
  const checks = new Set(actual.constraints.flatMap((one) => (one.kind === 'check' ? one.name : [])));
  const altering = (column: string, ...what: readonly string[]) => what.map((one) => alterColumn(table, column, one));
  return [
    ...columns.map((column) => ({
      what: `column ${column}`,
      starts: [dropColumn(table, column), ...altering(column, 'TYPE', 'DROP EXPRESSION')],
    })),
    ...notNulls.map((column) => ({
      what: `NOT NULL of column ${column}`,
      starts: altering(column, 'DROP NOT NULL'),
    })),
    ...(fixedIdentity ? columns : []).map((column) => ({
      what: `whether column ${column} is an identity`,
      starts: altering(column, 'ADD GENERATED', 'SET GENERATED', 'DROP IDENTITY'),
    })),
    // A key or foreign key that is inherited can have another name than its parent's; one that is renamed to go cannot go.
    ...constraints.map((one) => ({
      what: `constraint ${one}`,
      starts: [dropConstraint(table, one), ...(isRenaming && !checks.has(one) ? [] : [renamingConstraint(table, one)])],
    })),
    ...indexes.map((one) => ({
      what: `index ${one}`,
      // Its options are its own: a partitioned index takes none.
      starts: [dropIndex(name(one), true), ...(isRenaming ? [] : [sql`ALTER INDEX ${SCHEMA}.${name(one)} RENAME`])],
    })),
    { what: 'the list of its columns', starts: isPartition ? [addColumn(table, sql``)] : [] },
  ];
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
