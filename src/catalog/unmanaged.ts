import type { Row, Session } from '../database/session.js';
import type { DesiredTable } from '../desired-state/model.js';
import type { TenantGroup } from './snapshot.js';

/** What stands in tenants and nothing declares: left alone, and counted so that nobody takes it for compared. */
export interface Unmanaged {
  readonly tables: number;
  readonly columns: number;
  readonly indexes: number;
}

/** Counts over all tenants; tables by one statement, the rest from the shapes that were read. */
export async function countUnmanaged(
  session: Session,
  namespaces: readonly string[],
  desired: readonly DesiredTable[],
  groups: readonly TenantGroup[],
): Promise<Unmanaged> {
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
  const [row] = await session.query<Row & { n: number }>(
    // By what depends on a schema: by namespace pg_class has no index, and some schemas must not cost those of all.
    `select count(*)::int4 n from pg_catalog.pg_depend d join pg_catalog.pg_class c on c.oid = d.objid
      where d.refclassid = 'pg_catalog.pg_namespace'::regclass and d.refobjid = any($1::oid[])
        and d.classid = 'pg_catalog.pg_class'::regclass and c.relkind in ('r', 'p', 'm') and c.relname <> all($2::name[])`,
    [namespaces, [...declared.keys()]],
  );
  return { tables: row?.n ?? 0, columns, indexes };
}
