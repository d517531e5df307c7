import type { Row, Session } from '../database/session.js';
import type { DesiredTable } from '../desired-state/model.js';
import type { TenantGroup } from './snapshot.js';

/** What stands in tenants and nothing declares: left alone, and counted so that nobody takes it for compared. */
export interface Unmanaged {
  readonly tables: number;
  readonly columns: number;
  readonly indexes: number;
}

/**
 * Counts the tables and materialized views of some schemas that are not declared.
 * @param few in fewer schemas than this they are looked up schema by schema
 */
export async function countUndeclared(
  session: Session,
  namespaces: readonly string[],
  desired: readonly Pick<DesiredTable, 'name'>[],
  few = FEW_SCHEMAS,
): Promise<number> {
  if (namespaces.length === 0) return 0;
  const [row] = await session.query<Row & { count: number }>(
    namespaces.length < few ? UNDECLARED_OF_FEW : UNDECLARED_OF_MANY,
    [namespaces, desired.map((table) => table.name)],
  );
  return row?.count ?? 0;
}

/**
 * By namespace pg_class has no index: the tables of few schemas are found by what depends on those, not among all. One by one
 * (`offset 0`): without statistics the planner goes through all that depends on anything.
 */
const FEW_SCHEMAS = 500;

const UNDECLARED = `c.relkind in ('r','p','m') and c.relname <> all($2::name[])`;

const UNDECLARED_OF_FEW = `
select count(*)::int4 "count"
  from pg_catalog.unnest($1::oid[]) n(oid)
 cross join lateral (select d.objid from pg_catalog.pg_depend d where d.refclassid = 'pg_catalog.pg_namespace'::regclass
    and d.refobjid = n.oid and d.classid = 'pg_catalog.pg_class'::regclass offset 0) d
 cross join lateral (select c.relkind, c.relname from pg_catalog.pg_class c where c.oid = d.objid offset 0) c
 where ${UNDECLARED}`;

const UNDECLARED_OF_MANY = `
select count(*)::int4 "count"
  from pg_catalog.pg_class c where ${UNDECLARED} and c.relnamespace in (select pg_catalog.unnest($1::oid[]))`;

/** Counts, in the shapes that were read, what of the declared tables is not declared, over all tenants. */
export function countUnmanaged(
  desired: readonly DesiredTable[],
  groups: readonly TenantGroup[],
): Pick<Unmanaged, 'columns' | 'indexes'> {
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
  return { columns, indexes };
}
