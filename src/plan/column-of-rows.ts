import type { IndexFamily } from '../desired-state/model.js';
import type { Change } from '../diff/change.js';

/**
 * Whether a change adds a column that a family's rows are read by: before, its members cannot be told. That the name stands in an
 * expression is enough.
 */
export const addsColumnOf = (rows: IndexFamily['rows'], { action, table, object }: Change): boolean =>
  rows !== null &&
  action === 'add-column' &&
  table === rows.table &&
  Object.values(rows.values).some((expression) => expression.includes(object));

/** Actions that make a table or view anew, with other rows than there were before, or with the first. */
const MAKING: ReadonlySet<Change['action']> = new Set([
  'create-table',
  'create-materialized-view',
  'replace-materialized-view',
]);

/** Whether a change may bring a family rows, or be what they can be read by: what its members are is known only after it. */
export const bringsRowsOf = (rows: IndexFamily['rows'], change: Change): boolean =>
  addsColumnOf(rows, change) || (rows !== null && change.table === rows.table && MAKING.has(change.action));
