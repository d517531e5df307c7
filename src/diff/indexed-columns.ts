import type { DesiredIndex } from '../desired-state/model.js';
import type { IndexShape } from '../shape/table-shape.js';
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
