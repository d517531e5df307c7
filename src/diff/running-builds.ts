import { isKey, type TableShape } from '../shape/table-shape.js';
import { switchGroup } from './backend-switch.js';
import { type Change, deferred, revised, strongestLock } from './change.js';
import type { OwnedIndex } from './context.js';
import type { Facts } from './facts.js';
import { isAtLeast } from './lock-mode.js';
import { ownTables } from './step.js';

/** A tenant's INVALID indexes, by table. */
export function invalidIndexes(
  tables: ReadonlyMap<string, { readonly shape: TableShape }>,
  owned: readonly OwnedIndex[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const note = (table: string, index: string) => found.set(table, [...(found.get(table) ?? []), index]);
  for (const [table, { shape }] of tables) {
    for (const index of shape.indexes) if (!index.valid) note(table, index.name);
    for (const constraint of shape.constraints)
      if (isKey(constraint) && !constraint.indexValid) note(table, constraint.name);
  }
  for (const { table, index } of owned) if (!index.valid) note(table, index.name);
  return found;
}

/**
 * Puts off what another session's running build forbids. Its index is INVALID meanwhile and is no leftover: dropping it
 * would cancel hours of work, and a second build on the table deadlocks with the first. So nothing that locks the table
 * against a build is begun; what shares a group with that waits as well. Asked only where an INVALID index stands and
 * something is to be done.
 */
export function awaitBuilds<T extends { readonly change: Change }>(
  items: readonly T[],
  invalid: ReadonlyMap<string, readonly string[]>,
  facts: Facts,
): readonly T[] {
  const causes = new Map<string, string>();
  for (const [table, indexes] of invalid) {
    if (!items.some(({ change }) => meets(change) && locks(change).includes(table))) continue;
    const building = facts.building(table);
    if (building === null) continue;
    if (building.by !== null) causes.set(table, `session ${building.by} is building it`);
    // Seen INVALID, and no longer: the build ended while this diff was made.
    else if (indexes.some((index) => !building.invalid.includes(index)))
      causes.set(table, 'its build by another session has just ended');
  }
  if (causes.size === 0) return items;
  /** The table that a change waits for. */
  const awaited = (change: Change) => (meets(change) ? locks(change).find((table) => causes.has(table)) : undefined);
  const groups = new Map(
    items.flatMap(({ change }) => {
      const table = change.group === null ? undefined : awaited(change);
      return table === undefined ? [] : [[change.group, { change, table }] as const];
    }),
  );
  return revised(items, (change) => {
    if (change.status !== 'pending') return change;
    const table = awaited(change);
    if (table !== undefined) return awaiting(change, obstacleOf(change, table, causes.get(table) ?? '', invalid));
    const partner =
      (change.group === null ? undefined : groups.get(change.group)) ?? groups.get(switchGroup(change.phase));
    if (partner === undefined) return change;
    const why = `it happens together with ${partner.change.action} ${partner.change.object}, and an index of ${partner.table} is being built by another session`;
    return awaiting(change, why);
  });
}

/** The same change, put off until another session's index build has ended. */
const awaiting = (change: Change, obstacle: string): Change => ({
  ...deferred(change, obstacle, 'none needed: apply waits for the build as long as --lock-wait says; then run again'),
  waitsFor: 'build',
});

/** Whether a change would meet a running build, which holds SHARE UPDATE EXCLUSIVE on its table. */
const meets = (change: Change): boolean =>
  change.status === 'pending' && isAtLeast(strongestLock(change), 'SHARE UPDATE EXCLUSIVE');

/** Its own table, and those that its foreign keys are onto. */
const locks = ({ table, steps }: Change): readonly string[] => [table, ...steps.flatMap(ownTables)];

function obstacleOf(
  change: Change,
  table: string,
  cause: string,
  invalid: ReadonlyMap<string, readonly string[]>,
): string {
  const own = change.family !== null || (table === change.table && (invalid.get(table) ?? []).includes(change.object));
  return own ? cause : `an index of table ${table} is INVALID, and ${cause}`;
}
