import { dropColumn } from '../sql/ddl/column.js';
import { type Change, key } from './change.js';
import type { DiffContext } from './context.js';
import { computedFrom } from './generation.js';
import { exclusively } from './step.js';

/** A generated column as what stands on a column names it. */
export const asUser = (column: string): string => `generated column ${column}`;

/**
 * Generated columns that come anew, in a table without rows, go before the columns change that they are computed from:
 * PostgreSQL changes none under them. All of it happens or nothing.
 * @param anew their names
 */
export function beforeSources(
  changes: readonly Change[],
  table: string,
  anew: readonly string[],
  context: DiffContext,
): readonly Change[] {
  if (anew.length === 0) return changes;
  const { facts } = context;
  const sourceOf = new Map<string, string>();
  const tied = (made: Change): Change => ({
    ...made,
    group: `generated columns of ${table}`,
    assumptions: [...made.assumptions, { kind: 'no-rows', table }],
  });
  const retyped = changes.map((made) => {
    const isRetyped = made.status === 'pending' && made.provides.includes(key.column(table, made.object));
    if (!isRetyped || made.action === 'add-column' || made.group !== null) return made;
    const users = facts.users(table, made.object);
    const going = anew.filter((one) => users.includes(asUser(one)));
    if (going.length === 0) return made;
    const first = going.filter((one) => !sourceOf.has(one));
    for (const one of first) sourceOf.set(one, made.object);
    const drops = first.map((one) => exclusively(table, dropColumn(table, one)));
    // What another column's change drops is gone before this one.
    const needs = going.flatMap((one) =>
      first.includes(one) ? needsOfDrop(one, changes, table, context) : [key.column(table, sourceOf.get(one) ?? '')],
    );
    return { ...tied(made), needs: [...made.needs, ...needs], steps: [...drops, ...made.steps] };
  });
  return retyped.map((made) => {
    const source = sourceOf.get(made.object);
    if (source === undefined || made.action !== 'replace-column') return made;
    const needs = [...made.needs, key.column(table, source)];
    return { ...tied(made), needs, steps: made.steps.slice(1) };
  });
}

/** What is to go before a column that comes anew can: foreign keys onto it. What it is computed from then is none of that. */
function needsOfDrop(
  column: string,
  changes: readonly Change[],
  table: string,
  context: DiffContext,
): readonly string[] {
  const declared = context.tables.find(({ name }) => name === table)?.columns.find(({ name }) => name === column);
  const sources = declared === undefined ? [] : computedFrom(table, declared, context);
  const made = changes.find(({ action, object }) => action === 'replace-column' && object === column);
  return (made?.needs ?? []).filter((need) => !sources.includes(need));
}
