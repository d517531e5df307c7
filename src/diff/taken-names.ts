import type { NameHolder } from '../catalog/fact-types.js';
import { groupBy } from '../collections.js';
import {
  blocked,
  type Change,
  heldLike,
  isPending,
  type Member,
  namesFor,
  type TakenName,
  type TenantChange,
} from './change.js';
import { expand, settle } from './settle.js';

/** A name that a tenant's changes need to find free, or the sequence that they need to find. */
export interface NeededName {
  readonly name: string;
  /** A type of that name would be in the way as well. */
  readonly asTable: boolean;
}

/** What has each name. */
type Holders = ReadonlyMap<string, NameHolder>;

type Names = Pick<ReadonlySet<string>, 'has'>;

/** The names that are to be looked up for some changes. Those of refused and of deferred ones are not needed yet. */
export const neededNames = (items: readonly TenantChange[]): readonly NeededName[] =>
  items
    .filter(isPending)
    .flatMap(({ change, members }) => [
      ...change.takes.flatMap(({ name, of }) =>
        namesFor(name, members).map((one) => ({ name: one, asTable: of === 'table' })),
      ),
      ...(change.draws === undefined ? [] : [{ name: change.draws, asTable: false }]),
    ]);

/**
 * Refuses what would make something under a name that another object has, and what would draw from a sequence that is not
 * there: PostgreSQL would refuse it in every run. What these changes themselves rename or drop is not in the way; nor is what
 * the tenant's shapes would have shown, since it was made after they were read, and the next diff goes by it. A name that a
 * deferred change will make free is waited for.
 * @param items settled: what is refused makes no name free
 * @param holders of {@link neededNames}, by name
 * @returns `items` itself when none is refused
 */
export function refuseTaken(
  items: readonly TenantChange[],
  holders: Holders,
  allTables: readonly string[],
): readonly TenantChange[] {
  let current = items;
  for (;;) {
    const freed = freedInTurn(current, holders, allTables);
    const later = freedLater(current);
    const refused = current.flatMap((item) => refuse(item, holders, freed, later));
    if (refused.every((item, at) => item === current[at])) break;
    // What was to make a name free may wait for what was refused, and then no longer does.
    current = settle(refused, allTables);
  }
  return current;
}

/**
 * Names that changes make free one after another: those that wait for each other's names, by themselves or by what they need
 * first, would fail in every run.
 */
function freedInTurn(items: readonly TenantChange[], holders: Holders, allTables: readonly string[]): Names {
  const freed = new Set<string>();
  let waiting = items.filter(isPending);
  for (;;) {
    const open = new Map<string, number>();
    for (const { change } of waiting) for (const one of change.provides) open.set(one, (open.get(one) ?? 0) + 1);
    // What a change itself provides or makes free, it need not wait for.
    const isReady = ({ change: { needs, provides } }: TenantChange) =>
      expand(needs, allTables).every((need) => (open.get(need) ?? 0) <= (provides.includes(need) ? 1 : 0));
    const before = [freed.size, waiting.length];
    waiting = waiting.filter((item) => {
      if (!isReady(item)) return true;
      const own = new Set(freedNames(item));
      const parts = refuse(item, holders, { has: (name) => freed.has(name) || own.has(name) });
      for (const name of parts.flatMap(freedNames)) freed.add(name);
      return !parts.every(isPending);
    });
    if (freed.size === before[0] && waiting.length === before[1]) return freed;
  }
}

/** Names that deferred changes will make free, a drop that waits for another session's build say. */
const freedLater = (items: readonly TenantChange[]): ReadonlyMap<string, Change> =>
  new Map(
    items
      .filter(({ change }) => change.status === 'deferred')
      .flatMap(({ change, members }) =>
        change.frees.flatMap((name) => namesFor(name, members).map((one) => [one, change] as const)),
      ),
  );

/** The change, refused or put off where a name is taken: of a family's, the members alone whose names are. */
function refuse(
  item: TenantChange,
  holders: Holders,
  freed: Names,
  later: ReadonlyMap<string, Change> = new Map(),
): readonly TenantChange[] {
  const { change, members } = item;
  if (!isPending(item)) return [item];
  const { draws } = change;
  if (draws !== undefined && !holders.has(draws)) {
    const remedy = `give the column’s sequence that name, or make one that the column owns, in the application’s own migration, then apply`;
    return [{ ...item, change: blocked(change, `there is no sequence "${draws}" to draw from`, remedy) }];
  }
  if (change.takes.length === 0) return [item];
  const put = (member: Member | null): Change => {
    const taken = takenFrom(change, member, holders, freed);
    if (taken === null) return change;
    const until = later.get(taken.name);
    if (until === undefined) return blocked(change, taken.obstacle, REMEDY);
    return heldLike(until, change, `${taken.obstacle} until ${until.action} ${until.object}: ${until.obstacle}`);
  };
  if (members === null) {
    const made = put(null);
    return [made === change ? item : { ...item, change: made }];
  }
  const parts = groupBy(
    members.map((member) => ({ member, made: put(member) })),
    ({ made }) => made.obstacle,
  );
  if (parts.size === 1 && parts.has(null)) return [item];
  return [...parts.values()].map((part) => ({
    ...item,
    change: part[0]?.made ?? change,
    members: part.map(({ member }) => member),
  }));
}

const REMEDY = 'give that another name, or drop it, in the application’s own migration, then apply';

/** Which of the names that a change takes something stands under, and the words for that. */
function takenFrom(
  change: Change,
  member: Member | null,
  holders: Holders,
  freed: Names,
): { readonly name: string; readonly obstacle: string } | null {
  for (const taken of change.takes)
    for (const name of namesFor(taken.name, member === null ? null : [member])) {
      const holder = holders.get(name);
      if (holder === undefined || !isInTheWay(holder, name, taken.of, change.table, freed)) continue;
      // A member's name holds values of rows, and is not said.
      const own = member !== null || name === change.object;
      return { name, obstacle: `${holder.what} stands under ${own ? 'its name' : `the name "${name}" of its key`}` };
    }
  return null;
}

function isInTheWay(holder: NameHolder, name: string, of: TakenName['of'], table: string, freed: Names): boolean {
  if (freed.has(name)) return false;
  if (holder.kind === 'table') return of !== 'table';
  if (holder.kind === 'other') return true;
  // What its own table has under the name the differ has seen and makes room for; but an index gets none where the name is
  // that of a constraint which is no key, such as an exclusion constraint.
  return holder.table !== table || (of === 'index' && holder.isConstraint);
}

/** Names that a change makes free: none unless it is made. */
export const freedNames = (item: TenantChange): readonly string[] =>
  isPending(item) ? item.change.frees.flatMap((name) => namesFor(name, item.members)) : [];

/** Names that a change needs to find free. */
export const takenNames = ({ change, members }: TenantChange): readonly string[] =>
  change.takes.flatMap(({ name }) => namesFor(name, members));
