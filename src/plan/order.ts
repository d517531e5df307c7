import type { TenantChange } from '../diff/change.js';
import { expand } from '../diff/settle.js';
import { freedNames, takenNames } from '../diff/taken-names.js';

/**
 * The order in which a tenant's changes are made: what is needed before what needs it; among what is ready, first what
 * fits into one transaction, so that as few transactions as possible are opened. A name is made free before it is taken:
 * else PostgreSQL would refuse it in every run.
 */
export function inOrder(changes: readonly TenantChange[], allTables: readonly string[]): readonly TenantChange[] {
  const waiting = new Set(changes);
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
  while (waiting.size > 0) {
    const candidates = [...waiting].filter(ready);
    const next = candidates.find(isTransactional) ?? candidates[0] ?? [...waiting][0];
    if (next === undefined) break;
    waiting.delete(next);
    for (const provided of provides.get(next) ?? []) unmet.set(provided, (unmet.get(provided) ?? 1) - 1);
    ordered.push(next);
  }
  return ordered;
}

const freeName = (name: string): string => `free:${name}`;

/** Made of statements that may share a transaction with others. */
export const isTransactional = (item: TenantChange): boolean =>
  item.change.steps.every((step) => step.mode === 'transaction');
