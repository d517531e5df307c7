import type { NameHolder } from '../catalog/fact-types.js';
import { readNameHolders } from '../catalog/name-holders.js';
import { neededNames, refuseTaken } from '../diff/taken-names.js';
import type { FleetContext } from './fleet-context.js';
import type { ChangesByTenant } from './tenant-read.js';

const NONE: ReadonlyMap<string, NameHolder> = new Map();

/**
 * Each tenant's changes, with those refused that need a name which another object has, or a sequence that is not there. The
 * names of all tenants are looked up together, and only those that something is to be made under: a fleet in sync is asked
 * nothing, nor is a schema that is not there yet.
 * @param settled changes as they are settled
 */
export async function withoutTaken(
  settled: ChangesByTenant,
  everyTable: readonly string[],
  fleet: Pick<FleetContext, 'session'>,
): Promise<ChangesByTenant> {
  const wanted = settled.flatMap(([{ schema, isNew }, items]) =>
    isNew ? [] : neededNames(items).map((name) => ({ schema, ...name })),
  );
  const holders = await readNameHolders(fleet.session, wanted);
  return settled.map(([tenant, items]) =>
    tenant.isNew ? [tenant, items] : [tenant, refuseTaken(items, holders.get(tenant.schema) ?? NONE, everyTable)],
  );
}
