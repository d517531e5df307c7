import type { Row, Session } from '../database/session.js';
import type { ColumnBarriers } from './fact-types.js';
import { namedSchemas, relationOf } from './named-schemas.js';
import { ROW_USES } from './row-uses.js';

/**
 * What keeps one table of each schema from getting, losing or filling columns; tables that nothing keeps are left out. No part of a
 * shape: nearly all are, and it matters for these changes alone.
 */
export async function readColumnBarriers(
  session: Session,
  schemas: readonly string[],
  table: string,
): Promise<ReadonlyMap<string, ColumnBarriers>> {
  const rows = await session.query<Row & ColumnBarriers & { schema: string }>(barriersSql(session.serverVersion), [
    schemas,
    table,
  ]);
  return new Map(rows.map(({ schema, ...barriers }) => [schema, barriers]));
}

/** As CheckCmdReplicaIdentity of execReplication.c goes by it; publications of schemas came with PostgreSQL 15. */
const barriersSql = (version: number): string => `
with ${namedSchemas('$1')}
select x.* from (select ns.nspname::text "schema",
       (select case when y.typnamespace = ns.oid then pg_catalog.quote_ident(y.typname)
                    else pg_catalog.format('%s.%I', y.typnamespace::pg_catalog.regnamespace, y.typname) end
          from pg_catalog.pg_type y where y.oid = c.reloftype) "rowType",
       ${ROW_USES} "rowUses",
       array(select w.rulename::text from pg_catalog.pg_rewrite w
              where w.ev_class = c.oid and w.ev_type = '2' and w.is_instead and w.ev_enabled in ('O', 'A') order by 1) "updateRules",
       case when c.relpersistence <> 'p' or c.relreplident = 'f'
              or exists (select from pg_catalog.pg_index i
                          where i.indrelid = c.oid and i.indisvalid and i.indimmediate
                            and case c.relreplident when 'd' then i.indisprimary when 'i' then i.indisreplident end)
            then '{}'
            else array(select p.pubname::text from pg_catalog.pg_publication p
                        where p.pubupdate
                          and (p.puballtables
                            or exists (select from pg_catalog.pg_publication_rel r
                                        where r.prpubid = p.oid
                                          and (r.prrelid = c.oid or c.relispartition
                                            and r.prrelid in (select pg_catalog.pg_partition_ancestors(c.oid))))
                            ${version < 150000 ? '' : 'or exists (select from pg_catalog.pg_publication_namespace s where s.pnpubid = p.oid and s.pnnspid = ns.oid)'})
                        order by 1) end "publications"
  from ns ${relationOf("c.relname = $2::name and c.relkind = 'r'")}) x
 where x."rowType" is not null or x."rowUses" <> '{}' or x."updateRules" <> '{}' or x."publications" <> '{}'`;
