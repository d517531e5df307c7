import { tokenize } from '../sql/lexer.js';
import { TENANT_SCHEMA_SQL } from '../sql/template.js';
import { key } from './change.js';
import type { DiffContext } from './context.js';

/**
 * What a view's query needs first: every table, the views that it reads, and the columns that it names and that are not there yet. Without these a
 * column that is refused, or filled before it gets its name, would fail the view, and all the tenant's other changes with it.
 * By words alone: a word that only looks like such a column lets the view wait for it in vain, and does no harm.
 */
export function viewNeeds(query: string, { tables, actualTables }: DiffContext): readonly string[] {
  const words = new Set(
    tokenize(query).flatMap(({ kind, value }) =>
      kind === 'quoted-name' ? [value] : kind === 'word' ? [value.toLowerCase()] : [],
    ),
  );
  const named = relationsOf(query);
  const views = tables.flatMap(({ name, view }) => (view !== null && named.has(name) ? [key.table(name)] : []));
  const missing = tables.flatMap(({ name, columns }) => {
    const actual = actualTables.get(name);
    if (actual === undefined || !words.has(name)) return [];
    const there = new Set(actual.columns.map((column) => column.name));
    return columns.flatMap((column) =>
      there.has(column.name) || !words.has(column.name) ? [] : [key.column(name, column.name)],
    );
  });
  return [key.allTables, ...views, ...missing];
}

/** The names of the tenant's relations that a query reads. */
export function relationsOf(query: string): ReadonlySet<string> {
  const [, ...tails] = query.split(TENANT_SCHEMA_SQL);
  return new Set(
    tails.flatMap((tail) => {
      const [, quoted, plain] = /^\s*\.\s*(?:"((?:[^"]|"")+)"|([\w$]+))/u.exec(tail) ?? [];
      return quoted?.replaceAll('""', '"') ?? plain?.toLowerCase() ?? [];
    }),
  );
}
