import { switchGroup } from './backend-switch.js';
import { blocked, type Change, deferred, key } from './change.js';

/** Changes of one group happen all or not at all: where one is refused, so are the others, by its name. */
export function blockGroups(changes: readonly Change[]): readonly Change[] {
  const refused = new Map(
    changes.flatMap((made) => (made.group !== null && made.status === 'blocked' ? [[made.group, made] as const] : [])),
  );
  return changes.map((made) => withGroup(made, made.group === null ? undefined : refused.get(made.group)));
}

const withGroup = (made: Change, cause: Change | undefined): Change => {
  if (cause === undefined || made.status !== 'pending') return made;
  const hold = cause.status === 'blocked' ? blocked : deferred;
  const together = `all of the tenant's columns change together or none, and ${cause.obstacle}`;
  return { ...hold(made, together, cause.remedy ?? ''), waitsFor: cause.waitsFor };
};

/**
 * What needs something that a refused change would have made is refused too; what needs a deferred one is deferred. So
 * an index stays until its successor can be built, and nothing is tried that must fail.
 */
export function settle<T extends { readonly change: Change }>(
  changes: readonly T[],
  allTables: readonly string[],
): readonly T[] {
  let settled = changes;
  for (;;) {
    // A part may be refused for what it needs, too.
    settled = holdGroups(blockSwitches(settled));
    const providers = new Map<string, Change>();
    for (const { change: made } of settled)
      if (made.status !== 'pending') for (const provided of made.provides) providers.set(provided, made);
    if (providers.size === 0) return settled;
    let moved = false;
    settled = settled.map((item) => {
      if (item.change.status !== 'pending') return item;
      const cause = expand(item.change.needs, allTables)
        .map((need) => providers.get(need))
        .find((provider) => provider !== undefined);
      if (cause === undefined) return item;
      moved = true;
      const waits = `waits for ${cause.action} ${cause.object}, which is ${cause.status}: ${cause.obstacle}`;
      const refuse = cause.status === 'blocked' ? blocked : deferred;
      const put = refuse(item.change, waits, cause.remedy ?? '');
      return { ...item, change: { ...put, waitsFor: cause.waitsFor } };
    });
    if (!moved) return settled;
  }
}

/** A column that waits keeps its group waiting: one that another's change drops would not come back with it. */
function holdGroups<T extends { readonly change: Change }>(changes: readonly T[]): readonly T[] {
  const held = new Map<string, Change>();
  for (const { change: made } of changes) {
    if (made.group === null || made.group === switchGroup(made.phase) || made.status === 'pending') continue;
    if (held.get(made.group)?.status !== 'blocked') held.set(made.group, made);
  }
  if (held.size === 0) return changes;
  return changes.map((item) => {
    const change = withGroup(item.change, held.get(item.change.group ?? ''));
    return change === item.change ? item : { ...item, change };
  });
}

/** Where a part of a backend's switch is refused, nothing of its phase is done: a tenant never stands between two. */
function blockSwitches<T extends { readonly change: Change }>(changes: readonly T[]): readonly T[] {
  const refused = new Map<string, Change>();
  for (const { change: made } of changes)
    if (made.group === switchGroup(made.phase) && made.status === 'blocked') refused.set(made.phase, made);
  if (refused.size === 0) return changes;
  return changes.map((item) => {
    const cause = refused.get(item.change.phase);
    if (cause === undefined || item.change.status !== 'pending') return item;
    const obstacle = `the backend of phase ${cause.phase} is switched as a whole or not, and ${cause.obstacle}`;
    return { ...item, change: blocked(item.change, obstacle, cause.remedy ?? '') };
  });
}

/** Needs with every table in the place of {@link key.allTables}. */
export const expand = (needs: readonly string[], allTables: readonly string[]): readonly string[] =>
  needs.flatMap((need) => (need === key.allTables ? allTables : [need]));
