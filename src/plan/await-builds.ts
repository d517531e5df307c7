import type { OwnedRead } from '../catalog/owned-reads.js';
import type { TenantChange } from '../diff/change.js';
import { awaitBuilds, invalidIndexes } from '../diff/running-builds.js';
import { type Asking, askingOf, type FleetContext, factsOf, fetchOpen } from './fleet-context.js';
import type { ChangesByTenant, TenantRead } from './tenant-read.js';

/** Each tenant's changes, with those put off that another session's running build forbids. */
export async function withoutBuilds(
  tenants: readonly TenantRead[],
  found: ReadonlyMap<string, readonly TenantChange[]>,
  ownedBy: (tenant: TenantRead) => readonly OwnedRead[],
  fleet: FleetContext,
): Promise<ChangesByTenant> {
  const wanted = tenants.flatMap((tenant) => {
    const items = found.get(tenant.schema);
    if (items === undefined) return [];
    // Of nearly every tenant nothing is wanted.
    const invalid = items.length === 0 ? NONE : invalidIndexes(tenant.tables, ownedBy(tenant));
    return [{ tenant, items, invalid }];
  });
  const asking: Asking[] = [];
  for (const { tenant, items, invalid } of wanted) {
    if (invalid.size === 0) continue;
    const sheet = factsOf(tenant, fleet);
    awaitBuilds(items, invalid, sheet);
    if (sheet.open.size > 0) asking.push(askingOf(tenant, sheet));
  }
  await fetchOpen(asking, fleet);
  return wanted.map(({ tenant, items, invalid }) => [
    tenant,
    invalid.size === 0 ? items : awaitBuilds(items, invalid, factsOf(tenant, fleet)),
  ]);
}

const NONE: ReadonlyMap<string, readonly string[]> = new Map();
