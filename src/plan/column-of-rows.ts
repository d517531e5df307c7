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
