import { readMissingNames, type SoughtName } from '../catalog/missing-names.js';
import { groupBy } from '../collections.js';
import type { TenantChange } from '../diff/change.js';
import { refuseMissing, soughtNames } from '../diff/missing-names.js';
import type { FleetContext } from './fleet-context.js';
import type { TenantRead } from './tenant-read.js';

/**
 * Each tenant's changes, with those refused that name a type, function or sequence of its schema which is not there. The names of
 * all tenants are looked up together, and only those of what is to be made.
 * @param settled changes as they are settled
 */
export async function withoutMissing(
  settled: readonly (readonly [TenantRead, readonly TenantChange[]])[],
  everyTable: readonly string[],
  fleet: Pick<FleetContext, 'session'>,
): Promise<readonly (readonly [TenantRead, readonly TenantChange[]])[]> {
  const sought = settled.flatMap(([{ schema }, items]) =>
    soughtNames(items).map((name): SoughtName => ({ schema, ...name })),
  );
  if (sought.length === 0) return settled;
  const missing = groupBy(await readMissingNames(fleet.session, sought), ({ schema }) => schema);
  return settled.map(([tenant, items]) => [tenant, refuseMissing(items, missing.get(tenant.schema) ?? [], everyTable)]);
}
