import type { FleetDocument } from '../desired-state/documents.js';
import type { TableShape } from '../shape/table-shape.js';
import type { TenantFacts } from './read-tenant.js';
import { isHistory, type Stamp } from './stamp.js';

/** fleet.yaml, and why its tenants are found as they are. */
export interface FleetFile {
  readonly document: FleetDocument;
  readonly tenantsComment: string;
}

/** How many tables find a tenant: with more, one that lost a table would no longer be found by the others. */
const MARKS = 3;

/**
 * How this tenant and others like it are found: by the tables that the fewest other schemas hold, then those that most
 * foreign keys name.
 * @param declared names of the tables that base.yaml declares
 */
export function fleetFile(tenant: TenantFacts, declared: ReadonlySet<string>, stamp: Stamp | null): FleetFile {
  const phases = [{ name: 'base', file: 'base.yaml' }];
  const release =
    stamp === null ? {} : { release: { table: stamp.table, column: stamp.column, accepts: [stamp.value] } };
  const tables = tenant.tables.filter((table) => table.kind === 'table' && declared.has(table.name));
  if (tables.length === 0)
    return {
      document: { version: 1, tenants: { schemas: [tenant.schema] }, ...release, phases },
      tenantsComment: 'No table by which tenants could be found: only this schema is one.',
    };
  const references = new Map<string, number>();
  for (const table of tables)
    for (const key of table.constraints)
      if (key.kind === 'foreign-key' && key.references.schema === null && key.references.table !== table.name)
        references.set(key.references.table, (references.get(key.references.table) ?? 0) + 1);
  const others = (table: TableShape) => tenant.held.get(table.name)?.others ?? 0;
  const named = tables
    .toSorted(
      (a, b) =>
        Number(isHistory(a.name)) - Number(isHistory(b.name)) ||
        others(a) - others(b) ||
        (tenant.held.get(b.name)?.alike ?? 0) - (tenant.held.get(a.name)?.alike ?? 0) ||
        (references.get(b.name) ?? 0) - (references.get(a.name) ?? 0) ||
        (a.name < b.name ? -1 : 1),
    )
    .slice(0, MARKS);
  const shared = named.filter((table) => others(table) > 0);
  const alike = Math.min(...named.map((table) => tenant.held.get(table.name)?.alike ?? 1));
  return {
    document: { version: 1, tenants: { having_tables: named.map((table) => table.name) }, ...release, phases },
    tenantsComment: [
      'A schema that holds all of these tables is a tenant; one that holds only some is warned of. Chosen as the tables',
      `that other schemas hold least and that most foreign keys name; ${alike === 1 ? 'one schema holds' : `up to ${alike} schemas hold`} them now.`,
      ...(shared.length === 0
        ? []
        : [
            `Schemas of another kind hold ${shared.map((table) => table.name).join(', ')} too: see that no such schema holds them all,`,
            'or list it under exclude.',
          ]),
    ].join('\n'),
  };
}
