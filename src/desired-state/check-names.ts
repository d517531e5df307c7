import { shown } from '../did-you-mean.js';
import { isKey } from '../shape/table-shape.js';
import { serialSequence } from '../sql/serial.js';
import type { DesiredTable, SourcePosition } from './model.js';
import { type Problems, showPlace } from './problems.js';

/**
 * Tables, views, sequences and indexes share one name space in a schema, the indexes of primary keys and unique constraints
 * included (PostgreSQL's pg_class): a second object of a name would fail to be created.
 */
export function checkNames(tables: readonly DesiredTable[], problems: Problems): void {
  const taken = new Map<string, { readonly what: string; readonly source: SourcePosition }>();
  const take = (name: string, what: string, source: SourcePosition): void => {
    const first = taken.get(name);
    if (first === undefined) taken.set(name, { what, source });
    else
      problems.invalid(
        `${what} ${shown(name)} has the name of the ${first.what} at ${showPlace(first.source)}`,
        source,
        'rename one',
      );
  };
  for (const table of tables) take(table.name, table.kind === 'table' ? 'table' : 'materialized view', table.source);
  for (const table of tables) {
    for (const constraint of table.constraints) {
      if (isKey(constraint)) take(constraint.name, 'constraint', constraint.source);
    }
    for (const column of table.columns) {
      if (column.serial === true)
        take(serialSequence(table.name, column.name), 'sequence of the column', column.source);
    }
    for (const index of table.indexes) take(index.name, 'index', index.source);
    // Two families of one pattern give members of one name; a label cannot be an index's name by accident.
    for (const family of table.families) take(family.label, 'index family', family.source);
  }
}
