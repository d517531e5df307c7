import { groupBy } from '../collections.js';
import type { Change, TenantChange } from '../diff/change.js';
import { expand } from '../diff/settle.js';
import { sharedTable } from '../diff/step.js';
import { freedNames, takenNames } from '../diff/taken-names.js';
import { referenceName } from '../shape/table-reference.js';

/**
 * The order in which a tenant's changes are made: what is needed before what needs it; among what is ready, first what
 * fits into one transaction, so that as few transactions as possible are opened. A name is made free before it is taken:
 * else PostgreSQL would refuse it in every run.
 */
export function inOrder(changes: readonly TenantChange[], allTables: readonly string[]): readonly TenantChange[] {
  const unmet = new Map<string, number>();
  const provides = new Map(
    changes.map((item) => [item, new Set([...item.change.provides, ...freedNames(item).map(freeName)])]),
  );
  for (const provided of provides.values()) for (const one of provided) unmet.set(one, (unmet.get(one) ?? 0) + 1);
  const needs = new Map(
    changes.map((item) => [item, [...expand(item.change.needs, allTables), ...takenNames(item).map(freeName)]]),
  );
  const ready = (item: TenantChange) =>
    (needs.get(item) ?? []).every((need) => {
      const open = unmet.get(need) ?? 0;
      // What a change itself provides, it does not wait for.
      return open === 0 || (open === 1 && provides.get(item)?.has(need) === true);
    });
  const ordered: TenantChange[] = [];
  const short = new Set(sharedLast(changes.filter(isTransactional)));
  const long = new Set(changes.filter((item) => !short.has(item)));
  for (;;) {
    // The first that is ready, and no more are looked at: thousands of stray indexes would be, each as often as there are any.
    const next = first(short, ready) ?? first(long, ready) ?? changes.find((item) => short.has(item) || long.has(item));
    if (next === undefined) return ordered;
    short.delete(next);
    long.delete(next);
    for (const provided of provides.get(next) ?? []) unmet.set(provided, (unmet.get(provided) ?? 1) - 1);
    ordered.push(next);
  }
}

function first<T>(of: Iterable<T>, is: (one: T) => boolean): T | undefined {
  for (const one of of) if (is(one)) return one;
  return undefined;
}

/**
 * The locks of tables that all tenants share are held from the statement to the commit, and by one tenant at a time: whatever
 * else the transaction makes, it makes before. In the order of their names, so that no two tenants wait for each other.
 */
function sharedLast(changes: readonly TenantChange[]): readonly TenantChange[] {
  const shared = groupBy(changes, ({ change }) => sharedBy(change));
  const none = shared.get('') ?? [];
  if (none.length === changes.length) return changes;
  return [...shared.keys()].sort().flatMap((of) => shared.get(of) ?? []);
}

/** Which shared tables a change locks, as one text. */
const sharedBy = ({ steps }: Change): string =>
  steps
    .flatMap((step) => sharedTable(step) ?? [])
    .map(referenceName)
    .join();

const freeName = (name: string): string => `free:${name}`;

/** Made of statements that may share a transaction with others. */
export const isTransactional = (item: TenantChange): boolean =>
  item.change.steps.every((step) => step.mode === 'transaction');
