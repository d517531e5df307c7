import type { DesiredColumn, DesiredTable } from '../desired-state/model.js';
import type { ColumnShape, TableShape } from '../shape/table-shape.js';
import type { DiffContext } from './context.js';

/** A declared column that its table has, with all that it is diffed by. */
export interface ExistingColumn {
  readonly desired: DesiredTable;
  /** As it is declared for this tenant. */
  readonly wanted: DesiredColumn;
  readonly existing: ColumnShape;
  readonly actual: TableShape;
  readonly context: DiffContext;
}
