import { switchGroup } from './backend-switch.js';
import { type Change, heldLike, key, revised } from './change.js';

/** Changes of one group happen all or not at all: where one is refused, so are the others, by its name. */
export function blockGroups(changes: readonly Change[]): readonly Change[] {
  const refused = new Map(
    changes.flatMap((made) => (made.group !== null && made.status === 'blocked' ? [[made.group, made] as const] : [])),
  );
  return changes.map((made) => withGroup(made, made.group === null ? undefined : refused.get(made.group)));
}

const withGroup = (made: Change, cause: Change | undefined): Change => {
  if (cause === undefined || made.status !== 'pending') return made;
  return heldLike(cause, made, `all of the tenant's columns change together or none, and ${cause.obstacle}`);
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
    // In each round: the round before may have refused a part of a group for what it needs.
    settled = holdGroups(blockSwitches(settled));
    const providers = new Map<string, Change>();
    for (const { change: made } of settled)
      if (made.status !== 'pending') for (const provided of made.provides) providers.set(provided, made);
    if (providers.size === 0) return settled;
    const before = settled;
    settled = revised(before, (made) => {
      if (made.status !== 'pending') return made;
      const [cause] = expand(made.needs, allTables).flatMap((need) => providers.get(need) ?? []);
      if (cause === undefined) return made;
      const behind = `${cause.action} ${cause.object}`;
      return heldLike(cause, made, `waits for ${behind}, which is ${cause.status}: ${cause.obstacle}`, behind);
    });
    if (settled.every((item, at) => item === before[at])) return settled;
  }
}

/** Changes of a group wait together too: a generated column that one of them drops comes back by another. */
function holdGroups<T extends { readonly change: Change }>(changes: readonly T[]): readonly T[] {
  const held = new Map<string, Change>();
  for (const { change: made } of changes) {
    if (made.group === null || made.group === switchGroup(made.phase) || made.status === 'pending') continue;
    if (held.get(made.group)?.status !== 'blocked') held.set(made.group, made);
  }
  if (held.size === 0) return changes;
  return revised(changes, (made) => withGroup(made, held.get(made.group ?? '')));
}

/** Where a part of a backend's switch is refused, nothing of its phase is done: a tenant never stands between two. */
function blockSwitches<T extends { readonly change: Change }>(changes: readonly T[]): readonly T[] {
  const refused = new Map<string, Change>();
  for (const { change: made } of changes)
    if (made.group === switchGroup(made.phase) && made.status === 'blocked') refused.set(made.phase, made);
  if (refused.size === 0) return changes;
  return revised(changes, (made) => {
    const cause = refused.get(made.phase);
    if (cause === undefined || made.status !== 'pending') return made;
    return heldLike(
      cause,
      made,
      `the backend of phase ${cause.phase} is switched as a whole or not, and ${cause.obstacle}`,
    );
  });
}

/** Needs with every table in the place of {@link key.allTables}. */
export const expand = (needs: readonly string[], allTables: readonly string[]): readonly string[] =>
  needs.flatMap((need) => (need === key.allTables ? allTables : [need]));
