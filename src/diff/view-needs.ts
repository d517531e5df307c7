import { tokenize } from '../sql/lexer.js';
import { key } from './change.js';
import type { DiffContext } from './context.js';

/**
 * What a view's query needs first: every table, and the columns that it names and that are not there yet. Without these a
 * column that is refused, or filled before it gets its name, would fail the view, and all the tenant's other changes with it.
 * By words alone: a word that only looks like such a column lets the view wait for it in vain, and does no harm.
 */
export function viewNeeds(query: string, { tables, actualTables }: DiffContext): readonly string[] {
  const words = new Set(
    tokenize(query).flatMap(({ kind, value }) =>
      kind === 'quoted-name' ? [value] : kind === 'word' ? [value.toLowerCase()] : [],
    ),
  );
  const missing = tables.flatMap(({ name, columns }) => {
    const actual = actualTables.get(name);
    if (actual === undefined || !words.has(name)) return [];
    const there = new Set(actual.columns.map((column) => column.name));
    return columns.flatMap((column) =>
      there.has(column.name) || !words.has(column.name) ? [] : [key.column(name, column.name)],
    );
  });
  return [key.allTables, ...missing];
}
