import type { SharedKeyFault } from '../catalog/fact-types.js';
import type { DesiredTable } from '../desired-state/model.js';
import { referenceName } from '../shape/table-reference.js';
import type { ForeignKeyShape, TableReference, TableShape } from '../shape/table-shape.js';
import { blocked, type Change } from './change.js';
import type { DiffContext } from './context.js';
import { sharedTable } from './step.js';

/** A reference as it is in this tenant: by its own schema's name it is onto its own table. */
export const resolved = (of: TableReference, { home }: Pick<DiffContext, 'home'>): TableReference =>
  of.schema !== null && of.schema === home ? { schema: null, table: of.table } : of;

/**
 * A change of a constraint, with the hazard of locking a table that all tenants share, and refused where that table, or the
 * key that is declared to be there, is not: every tenant would fail at the same statement.
 */
export function ontoShared(made: Change, desired: DesiredTable, context: DiffContext): Change {
  const told = lockingShared(made);
  const wanted = desired.constraints.find(({ name }) => name === made.object);
  if (wanted?.kind !== 'foreign-key' || !MAKES.has(made.action)) return told;
  const fault = faultOf(wanted, desired, context);
  return fault === null ? told : refused(told, fault, wanted);
}

/**
 * A change that drops a column or gives it another type, with the lock that PostgreSQL takes to drop its foreign key onto a shared
 * table, or to make it anew: against readers too. Of several such tables the first is told.
 */
export function underSharedKeys(made: Change, { constraints }: TableShape): Change {
  const keys = constraints
    .filter((one) => one.kind === 'foreign-key')
    .filter(({ columns }) => columns.includes(made.object));
  const beside = keys.map(({ references }) => references).find(({ schema }) => schema !== null);
  if (beside === undefined) return made;
  const steps = made.steps.map((step, at) => (at === 0 ? { ...step, lock: { ...step.lock, beside } } : step));
  return lockingShared({ ...made, steps });
}

function lockingShared(made: Change): Change {
  const locks = made.steps.some((step) => sharedTable(step) !== null);
  return locks ? { ...made, hazards: [...made.hazards, 'SHARED_TABLE_LOCKED'] } : made;
}

const MAKES: ReadonlySet<Change['action']> = new Set(['add-constraint', 'replace-constraint']);

function faultOf(wanted: ForeignKeyShape, desired: DesiredTable, context: DiffContext): SharedKeyFault | null {
  const { schema, table } = wanted.references;
  // What the tenant itself declares is made before, or is refused by its own name.
  const isOwn = schema === context.home && context.tables.some(({ name }) => name === table);
  if (schema === null || isOwn) return null;
  return context.facts.sharedKeyFault({
    kind: 'shared-key',
    schema,
    table,
    columns: wanted.referencedColumns,
    types: wanted.columns.map((column) => desired.columns.find(({ name }) => name === column)?.type ?? ''),
    logged: desired.persistence === 'permanent',
  });
}

function refused(made: Change, fault: SharedKeyFault, of: ForeignKeyShape): Change {
  const { columns, references, referencedColumns } = of;
  const table = referenceName(references);
  const key = `(${referencedColumns.join(', ')})`;
  const make = 'then apply: trueup makes nothing of what tenants share';
  switch (fault.kind) {
    case 'no-table':
      return blocked(made, `there is no table ${table}`, `make it, with a unique key over ${key}, ${make}`);
    case 'no-plain-table':
      return blocked(made, `${table} is no table that a foreign key can be onto`, 'name a table in the files');
    case 'no-column':
      return blocked(made, `${table} has no column "${fault.column}"`, `make it, with a unique key over it, ${make}`);
    case 'no-key':
      return blocked(
        made,
        `${table} has no valid unique key over just ${key} that is neither partial nor deferrable`,
        `make one, ${make}`,
      );
    case 'unlogged':
      return blocked(
        made,
        `${table} is UNLOGGED, and a logged table may reference logged ones only`,
        `make it LOGGED, ${make}`,
      );
    case 'types': {
      const column = columns[referencedColumns.indexOf(fault.column)] ?? '';
      return blocked(
        made,
        `column "${column}" is declared ${fault.declared}, "${fault.column}" of ${table} is ${fault.its}, and PostgreSQL does not compare those`,
        'declare the column of the type that the shared table has',
      );
    }
  }
}
