import { namedSchemas, relationOf } from '../catalog/named-schemas.js';
import type { Row, Session } from '../database/session.js';
import type { Assumption, TenantChange } from '../diff/change.js';
import { isAtLeast, type LockMode, strongest } from '../diff/lock-mode.js';
import type { Step } from '../diff/step.js';

/** Tables that a transaction locks before it changes anything, and how strongly. */
export function lockModes(steps: readonly Step[], assumptions: readonly Assumption[]): ReadonlyMap<string, LockMode> {
  const modes = new Map<string, LockMode>();
  const strengthen = (table: string, mode: LockMode) => {
    modes.set(table, strongest([modes.get(table) ?? 'NONE', mode]));
  };
  for (const { lock } of steps)
    if (lock.table !== null && isAtLeast(lock.mode, 'SHARE')) strengthen(lock.table, lock.mode);
  // SHARE keeps writers out, so that what was checked stays true until the commit.
  for (const { table } of assumptions) strengthen(table, 'SHARE');
  return modes;
}

/** The order in which tenants' tables are locked: by oid, so that two appliers and the application's migrations never cross. */
export class TableOrder {
  /** @param found names of tables that were there, in that order, by schema */
  constructor(private readonly found: ReadonlyMap<string, readonly string[]>) {}

  /**
   * Those of some tables that were there, in order; null where one was not, or nothing is known: an earlier unit may have made it.
   * @param isFirst nothing of the tenant was changed since: what was not there is not there
   */
  known(schema: string, tables: readonly string[], isFirst: boolean): readonly string[] | null {
    const wanted = new Set(tables);
    const found = this.found.get(schema)?.filter((table) => wanted.has(table)) ?? null;
    return found?.length === wanted.size || isFirst ? found : null;
  }

  /** Those of some tables that exist, in order. What is not known of the tenant is asked. */
  async of(session: Session, schema: string, tables: readonly string[]): Promise<readonly string[]> {
    return this.known(schema, tables, false) ?? (await readOrder(session, [schema], tables)).get(schema) ?? [];
  }
}

/** Nothing is known: every unit asks. */
export const UNKNOWN_ORDER = new TableOrder(new Map());

/** The order of all tables that some tenants' changes will lock, in one statement. */
export async function tableOrder(
  session: Session,
  tenants: readonly { readonly schema: string; readonly isNew: boolean; readonly changes: readonly TenantChange[] }[],
): Promise<TableOrder> {
  const tables = new Set<string>();
  for (const change of new Set(tenants.flatMap((tenant) => tenant.changes.map((item) => item.change))))
    for (const table of lockModes(change.steps, change.assumptions).keys()) tables.add(table);
  const schemas = tenants.flatMap((tenant) => (tenant.isNew ? [] : [tenant.schema]));
  const found = schemas.length === 0 ? new Map() : await readOrder(session, schemas, [...tables]);
  return new TableOrder(new Map(tenants.map(({ schema }) => [schema, found.get(schema) ?? []])));
}

async function readOrder(
  session: Session,
  schemas: readonly string[],
  tables: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (tables.length === 0) return new Map();
  const rows = await session.query<Row & { schema: string; tables: readonly string[] }>(
    `with ${namedSchemas('$1')}
     select ns.nspname::text "schema", pg_catalog.array_agg(c.relname::text order by c.oid) "tables"
       from ns ${relationOf(`c.relname = any($2::name[]) and c.relkind in ('r', 'p')`)}
      group by 1`,
    [schemas, tables],
    { kept: true },
  );
  return new Map(rows.map((row) => [row.schema, row.tables]));
}
