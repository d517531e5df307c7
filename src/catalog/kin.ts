import type { Row, Session } from '../database/session.js';
import { isForeignIn, type NameResolver } from '../sql/names.js';
import { relativeTo } from '../sql/relative.js';
import { type Kin, OUTSIDE_NAMED } from './fact-types.js';
import { namedSchemas, relationOf } from './named-schemas.js';

/**
 * What one table of each schema inherits, and what inherits from it. No part of a shape: its kin may stand in any schema, and
 * differ where the tables are alike. Asked of tables alone whose shape says that there is some.
 */
export async function readKin(
  session: Session,
  schemas: readonly string[],
  table: string,
  names: NameResolver,
): Promise<ReadonlyMap<string, Kin>> {
  const rows = await session.query<Row & Kin & { schema: string }>(kinSql(session.serverVersion), [schemas, table]);
  return new Map(
    rows.map(({ schema, ...kin }) => [
      schema,
      {
        ...kin,
        heirs: kin.heirs.map(({ table: heir, own }) => ({
          table: heir,
          own: own.map(({ column, type }) => ({
            column,
            type: relativeTo(schema, type, isForeignIn(schema, names)),
          })),
        })),
      },
    ]),
  );
}

/** As SQL: a table of the tenant's own without its schema, which is another in each. */
const shown = (table: string): string =>
  `case when ${table}.relnamespace = t.ns then pg_catalog.quote_ident(${table}.relname)
        else pg_catalog.format('%s.%I', ${table}.relnamespace::pg_catalog.regnamespace, ${table}.relname) end`;

const INHERITED =
  'from pg_catalog.pg_attribute a where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attinhcount > 0';

const kinSql = (version: number): string => `
with recursive ${namedSchemas('$1')},
t as materialized (
  select ns.oid ns, ns.nspname, c.oid, c.relispartition from ns ${relationOf("c.relname = $2::name and c.relkind = 'r'")}),
heir as (
  select h.inhparent root, h.inhrelid oid from pg_catalog.pg_inherits h where h.inhparent in (select t.oid from t)
  union
  select heir.root, h.inhrelid from heir join pg_catalog.pg_inherits h on h.inhparent = heir.oid)
select t.nspname::text "schema", t.relispartition "isPartition", t.relispartition and ${version >= 170000} "fixedIdentity",
       array(select ${shown('p')} from pg_catalog.pg_inherits h join pg_catalog.pg_class p on p.oid = h.inhparent
              where h.inhrelid = t.oid order by h.inhseqno) parents,
       array(select a.attname::text ${INHERITED} order by a.attnum) "columns",
       array(select a.attname::text ${INHERITED} and a.attnotnull
                and (exists (select from pg_catalog.pg_constraint k where k.conrelid = t.oid and k.contype = 'n'
                                and k.coninhcount > 0 and k.conkey = array[a.attnum])
                  or t.relispartition and exists (
                       select from pg_catalog.pg_inherits h join pg_catalog.pg_attribute b on b.attrelid = h.inhparent
                        where h.inhrelid = t.oid and b.attname = a.attname and b.attnotnull)) order by a.attnum) "notNulls",
       array(select k.conname::text from pg_catalog.pg_constraint k
              where k.conrelid = t.oid and k.coninhcount > 0 and k.contype <> 'n' order by 1) "constraints",
       array(select ic.relname::text from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
              where i.indrelid = t.oid and ic.relispartition order by 1) indexes,
       array(select ${shown('h')} from heir join pg_catalog.pg_class h on h.oid = heir.oid
              where heir.root = t.oid and h.relnamespace <> t.ns order by 1 limit ${OUTSIDE_NAMED + 1}) outside,
       (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('table', h.relname, 'own', array(
                 select pg_catalog.jsonb_build_object('column', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod))
                   from pg_catalog.pg_attribute a
                  where a.attrelid = h.oid and a.attnum > 0 and not a.attisdropped and a.attislocal order by a.attnum))
                 order by h.relname), '[]')
          from heir join pg_catalog.pg_class h on h.oid = heir.oid where heir.root = t.oid and h.relnamespace = t.ns) heirs
  from t`;
