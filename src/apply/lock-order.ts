import type { Row, Session } from '../database/session.js';
import { type Assumption, LOCK_MODES, type LockMode, type Step, type TenantChange } from '../diff/change.js';

/** Tables that a transaction locks before it changes anything, and how strongly. */
export function lockModes(steps: readonly Step[], assumptions: readonly Assumption[]): ReadonlyMap<string, LockMode> {
  const modes = new Map<string, LockMode>();
  const strengthen = (table: string, mode: LockMode) => {
    const before = modes.get(table) ?? 'NONE';
    if (LOCK_MODES.indexOf(mode) > LOCK_MODES.indexOf(before)) modes.set(table, mode);
  };
  for (const { lock } of steps)
    if (lock.table !== null && LOCK_MODES.indexOf(lock.mode) >= LOCK_MODES.indexOf('SHARE'))
      strengthen(lock.table, lock.mode);
  // SHARE keeps writers out, so that what was checked stays true until the commit.
  for (const { table } of assumptions) strengthen(table, 'SHARE');
  return modes;
}

/** The order in which tenants' tables are locked: by oid, so that two appliers and the application's migrations never cross. */
export class TableOrder {
  /** @param known names of tables in that order, by schema */
  constructor(private readonly known: ReadonlyMap<string, readonly string[]>) {}

  /** Those of some tables that exist, in order. What is not known of the tenant is asked: an earlier unit may have made it. */
  async of(session: Session, schema: string, tables: readonly string[]): Promise<readonly string[]> {
    const its = this.known.get(schema) ?? [];
    const wanted = new Set(tables);
    const found = its.filter((table) => wanted.has(table));
    if (found.length === wanted.size) return found;
    return (await readOrder(session, [schema], tables)).get(schema) ?? [];
  }
}

/** Nothing is known: every unit asks. */
export const UNKNOWN_ORDER = new TableOrder(new Map());

/** The order of all tables that some tenants' changes will lock, in one statement. */
export async function tableOrder(
  session: Session,
  tenants: readonly { readonly schema: string; readonly changes: readonly TenantChange[] }[],
): Promise<TableOrder> {
  const tables = new Set<string>();
  for (const change of new Set(tenants.flatMap((tenant) => tenant.changes.map((item) => item.change))))
    for (const table of lockModes(change.steps, change.assumptions).keys()) tables.add(table);
  if (tables.size === 0) return UNKNOWN_ORDER;
  const schemas = tenants.map((tenant) => tenant.schema);
  return new TableOrder(await readOrder(session, schemas, [...tables]));
}

async function readOrder(
  session: Session,
  schemas: readonly string[],
  tables: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (tables.length === 0) return new Map();
  const rows = await session.query<Row & { schema: string; tables: readonly string[] }>(
    `select n.nspname::text "schema", array_agg(c.relname::text order by c.oid) "tables"
       from pg_catalog.pg_namespace n join pg_catalog.pg_class c on c.relnamespace = n.oid
      where n.nspname = any($1::text[]) and c.relname = any($2::text[]) and c.relkind in ('r', 'p')
      group by 1`,
    [schemas, tables],
  );
  return new Map(rows.map((row) => [row.schema, row.tables]));
}
