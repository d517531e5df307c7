import type { Row, Session } from '../database/session.js';

/**
 * The role to which each schema's new tables are to belong: the owner of most of its tables, else of the schema. Left out
 * where that is the session's own role, and where there is no such schema. Tables are found by what depends on a schema:
 * by namespace pg_class has no index, and is read whole otherwise.
 */
export async function readOwners(session: Session, schemas: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query<Row & { schema: string; owner: string }>(OWNERS, [schemas]);
  return new Map(rows.map(({ schema, owner }) => [schema, owner]));
}

const OWNERS = `
select n.nspname::text "schema", whose.owner::text "owner"
  from pg_catalog.pg_namespace n
  left join lateral (
    select c.relowner oid
      from pg_catalog.pg_depend d join pg_catalog.pg_class c on c.oid = d.objid and c.relkind in ('r','p')
     where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_namespace'::regclass and d.refobjid = n.oid
     group by 1 order by count(*) desc, 1 limit 1) most on true
 cross join lateral (select pg_catalog.pg_get_userbyid(coalesce(most.oid, n.nspowner)) owner) whose
 where n.nspname = any($1::name[]) and whose.owner <> current_user`;
