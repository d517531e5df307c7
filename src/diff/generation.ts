import type { DesiredColumn } from '../desired-state/model.js';
import { key } from './change.js';
import type { DiffContext } from './context.js';

/** What a generated column needs: the columns that it is computed from, as they are declared, and none generated itself. */
export const computedFrom = (
  table: string,
  { generated }: Pick<DesiredColumn, 'generated'>,
  { facts }: Pick<DiffContext, 'facts'>,
): readonly string[] =>
  generated === null
    ? []
    : facts.columnsOf(generated.expression).flatMap((column) => [key.column(table, column), key.plain(table, column)]);
