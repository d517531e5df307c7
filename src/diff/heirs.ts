import { type Kin, OUTSIDE_NAMED } from '../catalog/presence.js';
import type { TableShape } from '../shape/table-shape.js';
import { addColumn, alterColumn, dropColumn } from '../sql/ddl/column.js';
import { dropConstraint, renamingConstraint, validateConstraint } from '../sql/ddl/constraint.js';
import { quoteIdentifier } from '../sql/quote.js';
import { type SqlTemplate, sql } from '../sql/template.js';
import { blocked, type Change, key } from './change.js';
import type { DiffContext } from './context.js';
import type { Begins } from './inherited.js';

/** A change, refused where it goes on to tables that inherit: to other schemas', or to the tenant's own in vain. */
export function sparingHeirs(
  made: Change,
  actual: TableShape,
  kin: Kin,
  { statements, begins }: { readonly statements: readonly string[]; readonly begins: Begins },
  context: DiffContext,
): Change {
  const goesOn = recurring(actual).some(begins) || statements.some(addsCheck);
  return kin.outside.length > 0 && goesOn ? sparingOthers(made, kin) : sparingOwn(made, kin, begins, context);
}

/**
 * Columns that a table gets from another of the tenant's which gets them as well are not added twice: whichever came second
 * would find the other's.
 */
export function addedOnce(changes: readonly Change[], { actualTables, facts }: DiffContext): readonly Change[] {
  const isAdded = ({ action, status }: Change) => action === 'add-column' && status === 'pending';
  const heirsOf = new Map(
    changes.filter(isAdded).map((made) => {
      const kin = actualTables.get(made.table)?.hasKin === true ? facts.kin(made.table) : null;
      return [made, kin?.heirs.map((heir) => key.column(heir.table, made.object)) ?? []] as const;
    }),
  );
  const along = new Set([...heirsOf.values()].flat());
  if (along.size === 0) return changes;
  return changes
    .filter((made) => !isAdded(made) || !along.has(key.column(made.table, made.object)))
    .map((made) => ({ ...made, provides: [...made.provides, ...(heirsOf.get(made) ?? [])] }));
}

/**
 * How the statements begin that PostgreSQL carries out on every table that inherits from this one. Identities, keys, foreign
 * keys and indexes are a table's own.
 */
const recurring = ({ name: table, columns, constraints }: TableShape): readonly SqlTemplate[] => [
  addColumn(table, sql``),
  ...columns.flatMap((column) => [
    dropColumn(table, column.name),
    ...['TYPE', 'SET DEFAULT', 'DROP DEFAULT', 'SET NOT NULL', 'DROP NOT NULL', 'DROP EXPRESSION'].map((what) =>
      alterColumn(table, column.name, what),
    ),
  ]),
  ...constraints.flatMap((one) =>
    one.kind === 'check' && !one.noInherit
      ? [dropConstraint(table, one.name), validateConstraint(table, one.name), renamingConstraint(table, one.name)]
      : [],
  ),
];

const addsCheck = (statement: string): boolean =>
  / ADD CONSTRAINT (?:"(?:[^"]|"")+"|\w+) CHECK \(/u.test(statement) && !/ NO INHERIT(?: NOT VALID)?$/u.test(statement);

function sparingOthers(made: Change, { outside }: Kin): Change {
  const table = quoteIdentifier(made.table);
  const named = outside.slice(0, OUTSIDE_NAMED).join(', ');
  return blocked(
    made,
    `ALTER TABLE would change ${named}${outside.length > OUTSIDE_NAMED ? ' and more' : ''} as well: tables of other schemas that inherit from ${table}`,
    `end that with ALTER TABLE ${outside[0]} NO INHERIT …, then apply, or change ${table} in the application’s own migration`,
  );
}

/**
 * Of the tenant's tables that inherit, each may have of its own what the change would not find as the table has it: a column
 * stays when the table's is dropped, and takes in none of another type; and what stands on it is not the table's.
 */
function sparingOwn(made: Change, { heirs }: Kin, begins: Begins, context: DiffContext): Change {
  const { action, table, object, steps } = made;
  const wanted = context.tables.find(({ name: of }) => of === table)?.columns.find(({ name: of }) => of === object);
  const merges = (type: string) =>
    action === 'add-column' && steps.length === 1 && wanted !== undefined && context.facts.sameType(wanted.type, type);
  const adds = begins(addColumn(table, sql``));
  const obstacles = heirs.flatMap(({ table: heir, own }) => {
    const mine = own.find(({ column }) => column === object);
    if (adds && wanted?.identity) return [`PostgreSQL adds no identity column to a table that ${heir} inherits from`];
    if (mine !== undefined && adds && !merges(mine.type))
      return [`${heir}, which inherits from ${table}, has a column ${object} of its own, as ${mine.type}`];
    const goes = begins(dropColumn(table, object)) || begins(alterColumn(table, object, 'TYPE'));
    const users = goes ? context.facts.users(heir, object) : [];
    return users.map((user) => `${user} is over column ${object} of ${heir}, which inherits from ${table}`);
  });
  if (obstacles.length === 0) return made;
  return blocked(
    made,
    obstacles.join('; '),
    `change that in the application’s own migration, or end that with ALTER TABLE … NO INHERIT ${quoteIdentifier(table)}, then apply`,
  );
}
