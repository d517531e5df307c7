import type { DesiredConstraint } from '../desired-state/model.js';
import { type ConstraintShape, type ForeignKeyShape, isKey } from '../shape/table-shape.js';
import { key, type TakenName } from './change.js';
import type { DiffContext } from './context.js';
import { resolved } from './shared-references.js';

/** What a constraint makes, the name that it takes for its index, and what it waits for: also for those that CREATE TABLE makes. */
export function constraintFacets(
  table: string,
  constraint: DesiredConstraint,
  context: Pick<DiffContext, 'facts' | 'home'>,
) {
  const columns = constrainedColumns(constraint, context);
  const provides = isKey(constraint) ? [key.unique(table, constraint.columns)] : [];
  const takes: readonly TakenName[] = isKey(constraint) ? [{ name: constraint.name, of: 'key' }] : [];
  const needs = [
    key.table(table),
    key.cleared(table),
    ...columns.map((column) => key.column(table, column)),
    ...(constraint.kind === 'primary-key' ? columns.map((column) => key.notNull(table, column)) : []),
    ...(constraint.kind === 'foreign-key' ? needsOfReference(constraint, context) : []),
  ];
  return { provides, needs, takes };
}

/** Of a table that tenants share no change makes anything. */
function needsOfReference(
  { references, referencedColumns }: ForeignKeyShape,
  context: Pick<DiffContext, 'home'>,
): readonly string[] {
  const { schema, table } = resolved(references, context);
  if (schema !== null) return [];
  return [
    key.table(table),
    // A logged table may reference logged ones only.
    key.persistence(table),
    key.unique(table, referencedColumns),
    ...referencedColumns.map((column) => key.column(table, column)),
  ];
}

/** Every column that a constraint is about: a check goes with any of its columns, like a key. */
export function constrainedColumns(of: ConstraintShape, context: Pick<DiffContext, 'facts'>): readonly string[] {
  if (of.kind === 'check') return context.facts.columnsOf(of.expression);
  if (of.kind === 'other') return [];
  return isKey(of) ? [...of.columns, ...of.include] : of.columns;
}

/** Whether a constraint goes with a column that is replaced. */
export const goesWithColumns = (of: ConstraintShape, replaced: ReadonlySet<string>, context: DiffContext): boolean =>
  replaced.size > 0 && constrainedColumns(of, context).some((column) => replaced.has(column));

/** The name of the index that goes with a constraint; of what is neither a check nor a reference it may have one. */
export const indexNames = ({ kind, name: constraint }: ConstraintShape): readonly string[] =>
  kind === 'check' || kind === 'foreign-key' ? [] : [constraint];
