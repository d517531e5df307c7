import type { DesiredColumn } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import { backfillBatch } from '../sql/ddl/backfill.js';
import { addColumn, alterDefault, dropColumn, renameColumn } from '../sql/ddl/column.js';
import { isTemporary, temporaryName } from '../sql/temporary-name.js';
import { type Change, change, key } from './change.js';
import { notNullSteps } from './not-null.js';
import { nulls } from './offenders.js';
import { exclusively, type Step } from './step.js';

/** The name of a column whose old rows have no values yet: under its own, an interrupted run would leave no trace. */
export const unfilledName = (table: string, column: DesiredColumn): string =>
  temporaryName('new', `${table}.${column.name}`, JSON.stringify([column.type, column.collation, column.default]));

/**
 * Adds a column whose default differs from row to row (gen_random_uuid()) without the rewrite that ADD COLUMN … DEFAULT
 * would do under ACCESS EXCLUSIVE: the column first, with its default for new rows, then the old rows in batches, and its
 * name when all are done. `begun`: an interrupted run has made the column.
 */
export function backfillSteps(table: string, column: DesiredColumn, begun: boolean): readonly Step[] {
  const unfilled = unfilledName(table, column);
  const added = [
    exclusively(table, addColumn(table, { ...column, name: unfilled, default: null }, { notNull: false })),
    exclusively(table, alterDefault(table, unfilled, column.default)),
  ];
  return [
    ...(begun ? [] : added),
    fill(table, unfilled),
    ...(column.notNull ? notNullSteps(table, unfilled) : []),
    exclusively(table, renameColumn(table, unfilled, column.name)),
  ];
}

/** Gives rows without a value in a column its default. */
export const fill = (table: string, column: string): Step => ({
  sql: backfillBatch(table, column),
  mode: 'backfill',
  lock: { mode: 'ROW EXCLUSIVE', table },
  offenders: nulls(table, column),
});

/** Columns under temporary names that no backfill goes on with: nobody else has ever known them. */
export function unfilledLeftovers(phase: string, actual: TableShape, goesOn: ReadonlySet<string>): readonly Change[] {
  return actual.columns
    .filter((column) => isTemporary(column.name) && !goesOn.has(column.name))
    .map((column) =>
      change({
        phase,
        action: 'alter-table',
        table: actual.name,
        object: column.name,
        reason: 'a column that an interrupted run left half filled, and that is declared otherwise now',
        hazards: ['COLUMN_DROPPED'],
        // Its check goes first: DROP COLUMN takes it along, and the drop of the check would fail.
        needs: [key.cleared(actual.name)],
        steps: [exclusively(actual.name, dropColumn(actual.name, column.name))],
      }),
    );
}
