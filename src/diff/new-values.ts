import type { DomainChecks } from '../catalog/fact-types.js';
import type { DesiredColumn } from '../desired-state/model.js';
import { blocked, type Change } from './change.js';

/** Whether rows that are there would have no value in a new column, and must have one. */
export const isValueless = (column: DesiredColumn): boolean =>
  column.notNull && column.default === null && !isComputed(column);

/** Whether each row gets a value of its own in a new column, for which the table is rewritten. */
export const isComputed = ({ generated, identity, serial }: DesiredColumn): boolean =>
  generated !== null || identity !== null || serial === true;

/** Whether rows that are there may get values that differ: what a constant default gives they get without a rewrite. */
export const hasVaryingDefault = (column: DesiredColumn): boolean =>
  column.default !== null && !isComputed(column) && !isConstant(column.default);

/** Whether rows that are there would have none, and its type refuses that. */
export const lacksValue = (column: DesiredColumn, { refusesNull }: DomainChecks): boolean =>
  refusesNull && column.default === null && !isComputed(column);

/** Such a column is refused where there may be rows: PostgreSQL would refuse it in every run. */
export const withoutValue = (made: Change): Change =>
  blocked(
    made,
    `table ${made.table} holds rows, and a NOT NULL column without a default has no value for them`,
    'declare a default, or make it nullable and let the application fill it first',
  );

/**
 * A literal, or one with casts: what PostgreSQL surely stores once for all existing rows. Anything else counts as
 * volatile: backfilled row by row where a rewrite might have been.
 */
function isConstant(expression: string): boolean {
  const literal = /^\s*(?:'(?:[^']|'')*'|-?\d+(?:\.\d+)?|true|false|null)\s*(?:::\s*[\w\s"[\](),.]+)?\s*$/iu;
  return (
    literal.test(expression) ||
    /^\s*ARRAY\[\s*\](?:::[\w\s[\](),]+)?\s*$/iu.test(expression) ||
    /^\s*(?:now\(\)|CURRENT_TIMESTAMP)\s*$/iu.test(expression)
  );
}
