import { asOneIndex } from '../desired-state/as-one-index.js';
import type { DesiredIndex, IndexFamily } from '../desired-state/model.js';
import type { IndexShape, TableShape } from '../shape/table-shape.js';
import type { DiffContext } from './context.js';

/** Every column that an index stands on: by keys, expressions, predicate, and those that it includes. */
export function indexedColumns(
  index: Pick<DesiredIndex, 'keys' | 'include' | 'where'>,
  context: Pick<DiffContext, 'facts'>,
): readonly string[] {
  const expressions = [...index.keys.map((item) => item.expression), index.where];
  return [
    ...index.keys.flatMap((item) => item.column ?? []),
    ...index.include,
    ...expressions.flatMap((text) => (text === null ? [] : context.facts.columnsOf(text))),
  ];
}

/** Whether an index goes with the columns that are replaced. */
export function usesReplaced(index: IndexShape, replaced: ReadonlySet<string>, context: DiffContext): boolean {
  return replaced.size > 0 && indexedColumns(index, context).some((column) => replaced.has(column));
}

/** A table's declared families whose members stand on a column. */
export const familiesOver = (table: string, column: string, context: DiffContext): readonly IndexFamily[] =>
  (context.tables.find(({ name }) => name === table)?.families ?? []).filter((family) =>
    indexedColumns(asOneIndex(family), context).includes(column),
  );

/** The indexes of a table, and each of its declared families in the place of the members that the table may have of it. */
export function withFamilies(
  { name: of, indexes }: TableShape,
  { tables }: DiffContext,
): readonly Pick<IndexShape, 'name' | 'method' | 'keys' | 'where'>[] {
  const families = tables.find(({ name }) => name === of)?.families ?? [];
  return [...indexes, ...families.map((family) => ({ ...asOneIndex(family), name: `family ${family.label}` }))];
}
