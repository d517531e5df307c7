import type { DesiredTable } from '../desired-state/model.js';
import type { Tenant } from './discover.js';
import type { TenantGroup } from './snapshot.js';

/** What stands in tenants and nothing declares: left alone, and counted so that nobody takes it for compared. */
export interface Unmanaged {
  readonly tables: number;
  readonly columns: number;
  readonly indexes: number;
}

/** Counts over all tenants: tables as they were found with their schemas, the rest from the shapes that were read. */
export function countUnmanaged(
  tenants: readonly Tenant[],
  desired: readonly DesiredTable[],
  groups: readonly TenantGroup[],
): Unmanaged {
  const declared = new Map(
    desired.map((table) => [
      table.name,
      {
        columns: new Set(table.columns.map((column) => column.name)),
        indexes: new Set(table.indexes.map((index) => index.name)),
        isView: table.view !== null,
      },
    ]),
  );
  let columns = 0;
  let indexes = 0;
  for (const group of groups)
    for (const [name, { shape }] of group.tables) {
      const known = declared.get(name);
      if (known === undefined) continue;
      const extraColumns = known.isView ? 0 : shape.columns.filter((column) => !known.columns.has(column.name)).length;
      columns += extraColumns * group.schemas.length;
      indexes += shape.indexes.filter((index) => !known.indexes.has(index.name)).length * group.schemas.length;
    }
  return { tables: tenants.reduce((sum, tenant) => sum + tenant.undeclared, 0), columns, indexes };
}
