import type { Row, Session } from '../database/session.js';
import { type OwnershipFilter, TENANT_RELATIONS_SQL } from './owned.js';

/** Tenants whose declared tables hash alike, with the tables of one of them. */
export interface HashedShape {
  readonly hash: string;
  readonly schemas: readonly string[];
  /** Table name → its hash, and the oid of the representative's table. */
  readonly tables: readonly { readonly name: string; readonly hash: string; readonly oid: string }[];
}

interface HashRow extends Row {
  readonly h: string;
  readonly schemas: string[];
  readonly tables: readonly { name: string; hash: string; oid: string }[] | null;
}

/**
 * Hashes every tenant's declared tables in one statement and groups the tenants on the server, so that what crosses the
 * wire is one row a distinct shape. It reads catalogs only and locks no tenant's table.
 */
export async function hashShapes(
  session: Session,
  namespaces: readonly string[],
  relations: readonly string[],
  filter: OwnershipFilter,
): Promise<readonly HashedShape[]> {
  const rows = await session.query<HashRow>(shapeHashSql(session.serverVersion), [
    namespaces,
    relations,
    JSON.stringify(filter),
  ]);
  return rows.map((row) => ({ hash: row.h, schemas: row.schemas, tables: row.tables ?? [] }));
}

/**
 * Begun from a query that was tried against 18 kinds of damage on PostgreSQL 14 to 18. Equal hash must imply equal shape
 * relative to the tenant: node trees are hashed raw, and deparsed only where they name something outside their own table
 * (`far`), whose oids differ from tenant to tenant.
 */
function shapeHashSql(version: number): string {
  // Node trees hold source positions up to 16: the same expression typed with another blank would split a shape.
  const strip = (tree: string) =>
    version < 170000 ? `pg_catalog.regexp_replace(${tree}::text, ':location -?\\d+', '', 'g')` : `${tree}::text`;
  const nullsNotDistinct = version < 150000 ? 'false' : 'i.indnullsnotdistinct';
  const deleteSet = version < 150000 ? 'null::int2[]' : 'k.confdelsetcols';
  const enforced = version < 180000 ? 'true::text' : 'concat(k.conenforced, k.conperiod)';
  const relative = (tree: string, relation: string) =>
    `pg_catalog.replace(pg_catalog.replace(pg_catalog.pg_get_expr(${tree}, ${relation}), r.px, E'\\x01'), r.pq, E'\\x01')`;
  const expression = (tree: string, relation: string) =>
    `coalesce(case when ${tree} is null then null when x.objid is null then ${strip(tree)} else ${relative(tree, relation)} end, '-')`;
  return `
with ${TENANT_RELATIONS_SQL},
loc as materialized (
  select t.oid, t.typnamespace ns, t.typname nm from pg_catalog.pg_type t join ns on ns.oid = t.typnamespace
    left join pg_catalog.pg_type e on e.oid = t.typelem and e.typarray = t.oid
    left join pg_catalog.pg_class c on c.oid = coalesce(nullif(t.typrelid, 0), e.typrelid) where c.oid is null or c.relkind = 'c'
  union all select k.oid, k.collnamespace, k.collname from pg_catalog.pg_collation k join ns on ns.oid = k.collnamespace),
far as materialized (
  select distinct d.classid, d.objid from pg_catalog.pg_depend d
    left join pg_catalog.pg_attrdef a on d.classid = 'pg_catalog.pg_attrdef'::regclass and a.oid = d.objid
    left join pg_catalog.pg_constraint k on d.classid = 'pg_catalog.pg_constraint'::regclass and k.oid = d.objid and k.contype = 'c'
    left join pg_catalog.pg_index i on d.classid = 'pg_catalog.pg_class'::regclass and i.indexrelid = d.objid
      and (i.indexprs is not null or i.indpred is not null)
  where d.classid in ('pg_catalog.pg_attrdef'::regclass, 'pg_catalog.pg_constraint'::regclass, 'pg_catalog.pg_class'::regclass)
    and d.deptype in ('n','a') and coalesce(a.adrelid, k.conrelid, i.indrelid) <> d.refobjid
    and d.refclassid not in ('pg_catalog.pg_opclass'::regclass, 'pg_catalog.pg_namespace'::regclass, 'pg_catalog.pg_constraint'::regclass)
    and not (i.indexrelid is not null and d.refclassid = 'pg_catalog.pg_collation'::regclass)
  union all
  select 'pg_catalog.pg_constraint'::regclass, k.oid from pg_catalog.pg_constraint k
   where k.contype = 'c' and k.conrelid <> 0 and k.conbin::text ~ ':varattno 0 '),
part as (
  select r.ns, r.oid rel, pg_catalog.hashtextextended(concat_ws('|', 'c', a.attnum,
           case when t.oid is null then a.atttypid::text when t.ns = r.ns then '.' || pg_catalog.quote_ident(t.nm) else a.atttypid::text || '!' end,
           a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated,
           case when l.oid is null then a.attcollation::text when l.ns = r.ns then '.' || pg_catalog.quote_ident(l.nm) else a.attcollation::text || '!' end),
         pg_catalog.hashtextextended(a.attname::text, 0)) h
    from rel r join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    left join loc t on t.oid = a.atttypid left join loc l on l.oid = a.attcollation
  union all
  select r.ns, r.oid, pg_catalog.hashtextextended(${expression('d.adbin', 'd.adrelid')}, d.adnum)
    from rel r join pg_catalog.pg_attrdef d on d.adrelid = r.oid
    left join far x on x.classid = 'pg_catalog.pg_attrdef'::regclass and x.objid = d.oid
  union all
  select r.ns, r.oid, pg_catalog.hashtextextended(concat_ws('|', 's', s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle), d.refobjsubid)
    from pg_catalog.pg_sequence s join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = s.seqrelid
     and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype = 'i' join rel r on r.oid = d.refobjid
  union all
  select r.ns, r.oid, pg_catalog.hashtextextended(concat_ws('|', 'i', ic.relam, i.indnkeyatts, i.indkey, i.indclass, i.indoption, i.indcollation,
           i.indisunique, i.indisprimary, i.indisexclusion, i.indimmediate, i.indisvalid, i.indisready, i.indislive, i.indisreplident,
           ${nullsNotDistinct}, coalesce(ic.reloptions::text, '-'), ${expression('i.indpred', 'i.indrelid')}, ${expression('i.indexprs', 'i.indrelid')}),
         pg_catalog.hashtextextended(ic.relname::text, 1))
    from rel r join pg_catalog.pg_index i on i.indrelid = r.oid join pg_catalog.pg_class ic on ic.oid = i.indexrelid
    left join far x on x.classid = 'pg_catalog.pg_class'::regclass and x.objid = i.indexrelid
   where i.indexrelid not in (select indexrelid from own)
  union all
  select r.ns, r.oid, pg_catalog.hashtextextended(concat_ws('|', 'o', a.attnum, a.attoptions), pg_catalog.hashtextextended(ic.relname::text, 5))
    from pg_catalog.pg_attribute a join pg_catalog.pg_index i on i.indexrelid = a.attrelid
    join pg_catalog.pg_class ic on ic.oid = a.attrelid join rel r on r.oid = i.indrelid
   where a.attoptions is not null and i.indexrelid not in (select indexrelid from own)
  union all
  select r.ns, r.oid, pg_catalog.hashtextextended(concat_ws('|', 'k', k.contype, coalesce(k.conkey::text, '-'), k.condeferrable, k.condeferred,
           k.convalidated, k.connoinherit,
           case when f.oid is null then '-' when f.relnamespace = r.ns then '.' || pg_catalog.quote_ident(f.relname) else f.oid::text || '!' end,
           coalesce((select pg_catalog.string_agg(fa.attname, ',' order by m.n) from pg_catalog.unnest(k.confkey) with ordinality m(attnum, n)
                       join pg_catalog.pg_attribute fa on fa.attrelid = k.confrelid and fa.attnum = m.attnum), '-'),
           k.confupdtype, k.confdeltype, k.confmatchtype, coalesce(k.conexclop::text, '-'), coalesce((${deleteSet})::text, '-'), ${enforced},
           ${expression('k.conbin', 'k.conrelid')}),
         case k.contype when 'n' then 0 else pg_catalog.hashtextextended(k.conname::text, 2) end)
    from rel r join pg_catalog.pg_constraint k on k.conrelid = r.oid left join pg_catalog.pg_class f on f.oid = k.confrelid
    left join far x on x.classid = 'pg_catalog.pg_constraint'::regclass and x.objid = k.oid
   where k.contype <> 't'
  union all
  select r.ns, r.oid, pg_catalog.hashtextextended(r.o, pg_catalog.hashtextextended(r.relname::text, 3)) from rel r
  union all
  select r.ns, r.oid, pg_catalog.hashtextextended(pg_catalog.regexp_replace(w.ev_action::text, ':(relid|resorigtbl|location|stmt_location|stmt_len) -?\\d+', '', 'g'),
           pg_catalog.hashtextextended((select pg_catalog.string_agg(case when c.relnamespace = r.ns then '.' else c.relnamespace::text || '.' end || pg_catalog.quote_ident(c.relname), ',' order by m.n)
             from pg_catalog.regexp_matches(w.ev_action::text, ':relid (\\d+)', 'g') with ordinality m(g, n) join pg_catalog.pg_class c on c.oid = m.g[1]::oid), 8))
    from rel r join pg_catalog.pg_rewrite w on w.ev_class = r.oid where r.relkind = 'm'),
tab as materialized (select ns, rel, sum(h) h from part group by 1, 2),
ten as materialized (select ns.oid ns, coalesce(sum(pg_catalog.hashtextextended(tab.h::text, 4)), 0)::text h from ns left join tab on tab.ns = ns.oid group by 1),
grp as (select ten.h, min(ten.ns::text::int8)::oid rep, pg_catalog.array_agg(n.nspname::text order by n.nspname) schemas
          from ten join ns n on n.oid = ten.ns group by ten.h)
select grp.h, grp.schemas,
       (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', r.relname, 'hash', tab.h::text, 'oid', r.oid::text))
          from rel r join tab on tab.rel = r.oid where r.ns = grp.rep) tables
  from grp order by pg_catalog.cardinality(grp.schemas) desc, grp.h`;
}
