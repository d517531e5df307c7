import { type Kin, OUTSIDE_NAMED } from '../catalog/fact-types.js';
import type { ConstraintShape, TableShape } from '../shape/table-shape.js';
import type { Alteration } from '../sql/ddl/table.js';
import { quoteIdentifier } from '../sql/quote.js';
import { alterations, blocked, type Change, key } from './change.js';
import type { DiffContext } from './context.js';

/** A change, refused where it goes on to tables that inherit: to other schemas', or to the tenant's own in vain. */
export function sparingHeirs(made: Change, actual: TableShape, kin: Kin, context: DiffContext): Change {
  const goesOn = kin.outside.length > 0 && alterations(made).some((altered) => recurs(altered, actual));
  return goesOn ? sparingOthers(made, kin) : sparingOwn(made, kin, context);
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
 * Whether PostgreSQL carries it out on every table that inherits from this one. Identities, keys, foreign keys and indexes are
 * a table's own.
 */
function recurs(altered: Alteration, { constraints }: TableShape): boolean {
  if ('column' in altered) return true;
  if ('newConstraint' in altered) return isInheritable(altered.newConstraint);
  return 'constraint' in altered && constraints.some((one) => one.name === altered.constraint && isInheritable(one));
}

const isInheritable = (constraint: ConstraintShape): boolean => constraint.kind === 'check' && !constraint.noInherit;

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
function sparingOwn(made: Change, { heirs }: Kin, context: DiffContext): Change {
  const { action, table, object, steps } = made;
  const wanted = context.tables.find(({ name: of }) => of === table)?.columns.find(({ name: of }) => of === object);
  const merges = (type: string) =>
    action === 'add-column' && steps.length === 1 && wanted !== undefined && context.facts.sameType(wanted.type, type);
  const does = (...ways: readonly string[]) =>
    alterations(made).some((altered) => 'column' in altered && ways.includes(altered.how));
  const adds = does('ADD COLUMN');
  const goes = does('DROP COLUMN', 'TYPE');
  const obstacles = heirs.flatMap(({ table: heir, own }) => {
    const mine = own.find(({ column }) => column === object);
    if (adds && wanted?.identity) return [`PostgreSQL adds no identity column to a table that ${heir} inherits from`];
    if (mine !== undefined && adds && !merges(mine.type))
      return [`${heir}, which inherits from ${table}, has a column ${object} of its own, as ${mine.type}`];
    const users = goes ? context.facts.users(heir, object) : [];
    const references = does('DROP COLUMN') ? context.facts.references(heir, object) : [];
    return [...users, ...references.map(({ foreignKey }) => foreignKey)].map(
      (user) => `${user} is over column ${object} of ${heir}, which inherits from ${table}`,
    );
  });
  if (obstacles.length === 0) return made;
  return blocked(
    made,
    obstacles.join('; '),
    `change that in the application’s own migration, or end that with ALTER TABLE … NO INHERIT ${quoteIdentifier(table)}, then apply`,
  );
}
