import { groupBy } from '../collections.js';
import type { TableShape } from '../shape/table-shape.js';
import { isTemporary } from '../sql/temporary-name.js';
import type { Change, Member, TenantChange } from './change.js';
import type { DiffContext } from './context.js';
import { sparingHeirs } from './heirs.js';
import { sparingInherited } from './inherited.js';

/**
 * Changes of a table, refused where the table inherits what they change, which PostgreSQL lets nobody change there, and where
 * they would change tables of other schemas along, since ALTER TABLE goes on to all that inherit from the table. Judged by what the
 * statements alter, so that no maker of changes has to think of it.
 */
export function sparingKin(changes: readonly Change[], actual: TableShape, context: DiffContext): readonly Change[] {
  if (actual.hasKin !== true) return changes;
  const isParents = ({ action, object }: Change) =>
    action === 'alter-table' &&
    isTemporary(object) &&
    context.facts.kin(actual.name)?.columns.includes(object) === true;
  // What a run has left half filled in the parent goes, or gets its name, there.
  return changes.filter((made) => !isParents(made)).map((made) => sparing(made, null, actual, context));
}

/** The same for changes of a family's members: those that are refused apart from the others. */
export function sparingMembers(
  found: readonly TenantChange[],
  actual: TableShape | null,
  context: DiffContext,
): readonly TenantChange[] {
  if (actual?.hasKin !== true || found.length === 0) return found;
  const parts = new Set(context.facts.kin(actual.name)?.indexes);
  return found.flatMap((item) => {
    const spared = (members: TenantChange['members']) => ({
      ...item,
      change: sparing(item.change, members, actual, context),
      members,
    });
    if (item.members === null) return [spared(null)];
    const isPart = ({ index = '', from = '' }: Member) => parts.has(index) || parts.has(from);
    return [...groupBy(item.members, isPart).values()].map(spared);
  });
}

function sparing(made: Change, members: readonly Member[] | null, actual: TableShape, context: DiffContext): Change {
  if (made.status === 'deferred') return made;
  const kin = context.facts.kin(actual.name);
  if (kin === null) return made;
  // Blocked changes too: else the operator does what is asked for, and only then hears of this.
  const spared = sparingInherited({ change: made, members }, actual, kin);
  return spared.status === 'blocked' ? spared : sparingHeirs(made, actual, kin, context);
}
