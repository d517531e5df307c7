import type { DesiredColumn } from '../desired-state/model.js';
import { blocked, type Change } from './change.js';

/** Whether rows that are there would have no value in a new column, and must have one. */
export const isValueless = (column: DesiredColumn): boolean =>
  column.notNull &&
  column.default === null &&
  column.generated === null &&
  column.identity === null &&
  column.serial !== true;

/** Such a column is refused where there may be rows: PostgreSQL would refuse it in every run. */
export const withoutValue = (made: Change): Change =>
  blocked(
    made,
    `table ${made.table} holds rows, and a NOT NULL column without a default has no value for them`,
    'declare a default, or make it nullable and let the application fill it first',
  );
