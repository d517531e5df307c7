import type { Row, Session } from '../database/session.js';
import type { ColumnBarriers } from './fact-types.js';
import { namedSchemas, relationAt, relationOf, WITH_HEIRS } from './named-schemas.js';
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
  const rows = await session.query<Row & ColumnBarriers & { schema: string }>(
    barriersSql(session.serverVersion),
    [schemas, table],
    { kept: true },
  );
  return new Map(rows.map(({ schema, ...barriers }) => [schema, barriers]));
}

/**
 * Whether publication `p` names table `r` with rows that other columns than the replica identity's choose, or without some of these.
 * Which columns a WHERE names, no other catalog says apart from those of the list.
 */
const UNFIT = `exists (
             select from pg_catalog.pg_publication_rel f
              where f.prpubid = p.oid and f.prrelid = r.oid
                and (r.relreplident <> 'f' and exists (
                       select from pg_catalog.regexp_matches(f.prqual::text, ':varattno (\\d+)', 'g') v(named)
                        where v.named[1]::int2 <> all(x.identity))
                  or r.relreplident = 'f' and f.prattrs is not null or not x.identity <@ f.prattrs::int2[]))`;

/** As CheckCmdReplicaIdentity of execReplication.c goes by it; publications of schemas came with PostgreSQL 15. */
const barriersSql = (version: number): string => `
with ${namedSchemas('$1')}
select x.* from (select ns.nspname::text "schema",
       (select case when y.typnamespace = ns.oid then pg_catalog.quote_ident(y.typname)
                    else pg_catalog.format('%s.%I', y.typnamespace::pg_catalog.regnamespace, y.typname) end
          from pg_catalog.pg_type y where y.oid = c.reloftype) "rowType",
       ${ROW_USES} "rowUses",
       c.relforcerowsecurity and pg_catalog.pg_has_role(c.relowner, 'USAGE') and pg_catalog.row_security_active(c.oid) "rowsHidden",
       array(select w.rulename::text from pg_catalog.pg_rewrite w
              where w.ev_class = c.oid and w.ev_type = '2' and w.is_instead and w.ev_enabled in ('O', 'A') order by 1) "updateRules",
       case when (select exists (select from pg_catalog.pg_publication p where p.pubupdate)) then
       (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('publication', p.pubname, 'heir',
                 case when r.oid <> c.oid then case when r.relnamespace = ns.oid then pg_catalog.quote_ident(r.relname)
                      else pg_catalog.format('%s.%I', r.relnamespace::pg_catalog.regnamespace, r.relname) end end,
                 'unfit', x.identity is not null or r.relreplident = 'f')
                 order by r.oid = c.oid desc, r.relname, p.pubname), '[]')
          from (${WITH_HEIRS} select r.* from heir cross join ${relationAt('heir.oid', 'r')}) r
          join pg_catalog.pg_publication p
            on p.pubupdate
           and (p.puballtables
             or exists (select from pg_catalog.pg_publication_rel f
                         where f.prpubid = p.oid
                           and (f.prrelid = r.oid or r.relispartition
                             and f.prrelid in (select pg_catalog.pg_partition_ancestors(r.oid))))
             ${version < 150000 ? '' : 'or exists (select from pg_catalog.pg_publication_namespace s where s.pnpubid = p.oid and s.pnnspid = r.relnamespace)'})
         cross join lateral (
           select (select (i.indkey::int2[])[0:i.indnkeyatts - 1] from pg_catalog.pg_index i
                    where i.indrelid = r.oid and i.indisvalid and i.indimmediate
                      and case r.relreplident when 'd' then i.indisprimary when 'i' then i.indisreplident end) identity) x
         where r.relpersistence = 'p' and (r.relreplident <> 'f' and x.identity is null ${version < 150000 ? '' : `or ${UNFIT}`})) else '[]' end "publications"
  from ns ${relationOf("c.relname = $2::name and c.relkind = 'r'")}) x
 where x."rowType" is not null or x."rowUses" <> '{}' or x."rowsHidden" or x."updateRules" <> '{}' or x."publications" <> '[]'`;
