import { readMissingNames, type SoughtName } from '../catalog/missing-names.js';
import { groupBy, oncePerObject } from '../collections.js';
import { refuseMissing, soughtNames } from '../diff/missing-names.js';
import { serialSequence } from '../sql/serial.js';
import type { FleetContext } from './fleet-context.js';
import type { ChangesByTenant } from './tenant-read.js';

/**
 * Each tenant's changes, with those refused that name a type, function or sequence of its schema which is not there. The names of
 * all tenants are looked up together, and only those of what is to be made.
 * @param settled changes as they are settled
 */
export async function withoutMissing(
  settled: ChangesByTenant,
  everyTable: readonly string[],
  fleet: Pick<FleetContext, 'session' | 'tables'>,
): Promise<ChangesByTenant> {
  const sought = settled.flatMap(([{ schema }, items]) =>
    soughtNames(items).flatMap((name): readonly SoughtName[] =>
      name.kind === 'relation' && madeSequences(fleet.tables).has(name.name) ? [] : [{ schema, ...name }],
    ),
  );
  if (sought.length === 0) return settled;
  const missing = groupBy(await readMissingNames(fleet.session, sought), ({ schema }) => schema);
  return settled.map(([tenant, items]) => [tenant, refuseMissing(items, missing.get(tenant.schema) ?? [], everyTable)]);
}

/** Sequences that come with declared columns, and that others may draw from. */
const madeSequences = oncePerObject(
  (tables: FleetContext['tables']) =>
    new Set(
      tables.flatMap((table) =>
        table.columns.flatMap(({ name, serial, identity }) =>
          serial === true || identity !== null ? serialSequence(table.name, name) : [],
        ),
      ),
    ),
);
