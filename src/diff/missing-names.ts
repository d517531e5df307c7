import type { OwnName } from '../sql/own-names.js';
import { blocked, isPending, type TenantChange } from './change.js';
import { blockGroups, settle } from './settle.js';

/** What changes need to find in the tenant's schema, and do not make themselves: of refused and deferred ones, nothing yet. */
export function soughtNames(items: readonly TenantChange[]): readonly OwnName[] {
  const pending = items.filter(isPending);
  const sought = pending.flatMap(({ change }) => change.finds ?? []);
  if (sought.length === 0) return sought;
  // A table is a relation, and its row type a type.
  const made = new Set(
    pending.flatMap(({ change }) => change.takes.flatMap(({ name, of }) => (of === 'table' ? name : []))),
  );
  return sought.filter(({ kind, name }) => kind === 'function' || !made.has(name));
}

/**
 * Refuses what names something of the tenant's schema that is not there: PostgreSQL would refuse it in every run. What waits
 * for that is refused with it.
 * @param missing of {@link soughtNames}
 */
export function refuseMissing(
  items: readonly TenantChange[],
  missing: readonly OwnName[],
  allTables: readonly string[],
): readonly TenantChange[] {
  if (missing.length === 0) return items;
  const refused = items.map(({ change }) => {
    const lacks = change.status !== 'pending' ? [] : (change.finds ?? []).filter((name) => missing.some(isLike(name)));
    return lacks.length === 0
      ? change
      : blocked(change, `there is no ${[...new Set(lacks.map(inWords))].join(', no ')}`, REMEDY);
  });
  const grouped = blockGroups(refused);
  return settle(
    items.map((item, at) => ({ ...item, change: grouped[at] ?? item.change })),
    allTables,
  );
}

const isLike =
  ({ kind, name }: OwnName) =>
  (other: OwnName): boolean =>
    kind === other.kind && name === other.name;

const inWords = ({ kind, name }: OwnName): string =>
  `${kind === 'relation' ? 'sequence' : kind} "${name}" in the tenant’s schema`;

const REMEDY = 'make it in the application’s own migration, then apply';
