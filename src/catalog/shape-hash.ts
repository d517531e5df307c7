import { groupBy } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import { type OwnershipFilter, TENANT_RELATIONS_SQL } from './owned.js';
import { shared } from './shared-snapshot.js';

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
 * Hashes every tenant's declared tables in one statement a session and groups the tenants on the server, so that what crosses the
 * wire is one row a distinct shape. It reads catalogs only and locks no tenant's table.
 */
export async function hashShapes(
  sessions: readonly Session[],
  namespaces: readonly string[],
  relations: readonly string[],
  filter: OwnershipFilter,
): Promise<readonly HashedShape[]> {
  const rows = await shared(sessions, namespaces, (session, part) =>
    session.query<HashRow>(shapeHashSql(session.serverVersion), [part, relations, JSON.stringify(filter)]),
  );
  return [...groupBy(rows, (row) => row.h)]
    .map(([hash, parts]) => ({
      hash,
      schemas: parts.flatMap((row) => row.schemas).sort(),
      tables: parts[0]?.tables ?? [],
    }))
    .sort((left, right) => right.schemas.length - left.schemas.length || (left.hash < right.hash ? -1 : 1));
}

/**
 * Begun from a query that was tried against 18 kinds of damage on PostgreSQL 14 to 18. Equal hash must imply equal shape
 * relative to the tenant: node trees are hashed raw, and deparsed only where they name something outside their own table,
 * whose oids differ from tenant to tenant. Records, not joined text: no name can pass for two, and NULL is not left out.
 *
 * Node trees hold source positions up to 16, and the same expression typed with another blank must not split a shape.
 * To cut them out of every tenant's trees cost more than all the rest: tables that agree to the letter, positions
 * included, are hashed without them once.
 */
function shapeHashSql(version: number): string {
  const positions = version < 170000;
  return `
with ${TENANT_RELATIONS_SQL},
loc as materialized (
  select t.oid, t.typnamespace ns, t.typname nm from pg_catalog.pg_type t
    left join pg_catalog.pg_type e on e.oid = t.typelem and e.typarray = t.oid
    left join pg_catalog.pg_class c on c.oid = coalesce(nullif(t.typrelid, 0), e.typrelid)
   where t.oid in (select a.atttypid from rel join pg_catalog.pg_attribute a on a.attrelid = rel.oid)
     and t.typnamespace in (select oid from ns) and (c.oid is null or c.relkind = 'c')
  union all select k.oid, k.collnamespace, k.collname from pg_catalog.pg_collation k join ns on ns.oid = k.collnamespace),
raw as materialized (select r.ns, r.oid rel, r.relname, ${tableHash(version, false)} h from rel r),
${
  positions
    ? `once as materialized (
  select d.relname, d.raw, ${tableHash(version, true)} h
    from (select relname, h raw, min(rel) rel from raw group by 1, 2) d join rel r on r.oid = d.rel),
tab as materialized (select raw.ns, raw.rel, raw.relname, once.h from raw join once on once.relname = raw.relname and once.raw = raw.h),`
    : 'tab as (select ns, rel, relname, h from raw),'
}
ten as materialized (
  select ns.oid ns, coalesce(pg_catalog.string_agg((tab.relname, tab.h)::text, '' order by tab.relname), '') h
    from ns left join tab on tab.ns = ns.oid group by 1),
grp as (select pg_catalog.encode(${digest('ten.h')}, 'hex') h, min(ten.ns) rep, pg_catalog.array_agg(n.nspname::text order by n.nspname) schemas
          from ten join ns n on n.oid = ten.ns group by 1)
select grp.h, grp.schemas,
       (select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', tab.relname, 'hash', pg_catalog.encode(tab.h, 'hex'), 'oid', tab.rel::text))
          from tab where tab.ns = grp.rep) tables
  from grp order by pg_catalog.cardinality(grp.schemas) desc, grp.h`;
}

const digest = (text: string): string => `pg_catalog.sha256(pg_catalog.convert_to(${text}, 'UTF8'))`;

/** Everything that makes the shape of table `r`, hashed: looked up by index, so that a batch costs no more than its tenants. */
function tableHash(version: number, withoutPositions: boolean): string {
  const tree = (column: string) =>
    withoutPositions ? `pg_catalog.regexp_replace(${column}::text, ':location -?\\d+', '', 'g')` : `${column}::text`;
  const relative = (column: string) =>
    `pg_catalog.replace(pg_catalog.replace(pg_catalog.pg_get_expr(${column}, r.oid), r.px, E'\\x01'), r.pq, E'\\x01')`;
  const expression = (column: string, isFar: string) =>
    `case when ${column} is null then null when ${isFar} then ${relative(column)} else ${tree(column)} end`;
  const nullsNotDistinct = version < 150000 ? 'false' : 'i.indnullsnotdistinct';
  const deleteSet = version < 150000 ? 'null::int2[]' : 'k.confdelsetcols';
  const enforced = version < 180000 ? 'null, null' : 'k.conenforced, k.conperiod';
  return digest(`(r.o, r.relname,
  (select pg_catalog.string_agg((a.attnum, a.attname,
            case when t.oid is null then a.atttypid::text when t.ns = r.ns then '.' || pg_catalog.quote_ident(t.nm) else a.atttypid::text || '!' end,
            a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated,
            case when l.oid is null then a.attcollation::text when l.ns = r.ns then '.' || pg_catalog.quote_ident(l.nm) else a.attcollation::text || '!' end,
            case when a.attidentity <> '' then (
              select (s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)::text
                from pg_catalog.pg_depend d join pg_catalog.pg_sequence s on s.seqrelid = d.objid
               where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
                 and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.deptype = 'i') end)::text, '' order by a.attnum)
     from pg_catalog.pg_attribute a left join loc t on t.oid = a.atttypid left join loc l on l.oid = a.attcollation
    where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped),
  (select pg_catalog.string_agg((d.adnum, ${expression('d.adbin', far('pg_attrdef', 'd.oid'))})::text, '' order by d.adnum)
     from pg_catalog.pg_attrdef d where d.adrelid = r.oid),
  (select pg_catalog.string_agg((ic.relname, ic.relam, i.indnkeyatts, i.indkey, i.indclass, i.indoption, i.indcollation,
            i.indisunique, i.indisprimary, i.indisexclusion, i.indimmediate, i.indisvalid, i.indisready, i.indislive, i.indisreplident,
            ${nullsNotDistinct}, ic.reloptions,
            ${expression('i.indpred', far('pg_class', 'i.indexrelid'))}, ${expression('i.indexprs', far('pg_class', 'i.indexrelid'))},
            (select pg_catalog.string_agg((a.attnum, a.attoptions)::text, '' order by a.attnum)
               from pg_catalog.pg_attribute a where a.attrelid = i.indexrelid and a.attoptions is not null))::text, '' order by ic.relname)
     from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
    where i.indrelid = r.oid and i.indexrelid not in (select indexrelid from own)),
  (select pg_catalog.string_agg(k.said, '' order by k.said collate "C") from (
     select (k.contype, case when k.contype <> 'n' then k.conname end, k.conkey, k.condeferrable, k.condeferred, k.convalidated, k.connoinherit,
             case when k.confrelid <> 0 then (
               select (case when f.relnamespace = r.ns then '.' || pg_catalog.quote_ident(f.relname) else f.oid::text || '!' end,
                       array(select fa.attname from pg_catalog.unnest(k.confkey) with ordinality m(attnum, n)
                               join pg_catalog.pg_attribute fa on fa.attrelid = k.confrelid and fa.attnum = m.attnum order by m.n))::text
                 from pg_catalog.pg_class f where f.oid = k.confrelid) end,
             k.confupdtype, k.confdeltype, k.confmatchtype, k.conexclop, ${deleteSet}, ${enforced},
             ${expression('k.conbin', `${far('pg_constraint', 'k.oid')} or k.conbin::text ~ ':varattno 0 '`)})::text said
       from pg_catalog.pg_constraint k where k.conrelid = r.oid and k.contype <> 't') k),
  case when r.relkind = 'm' then (
    select (pg_catalog.regexp_replace(w.ev_action::text, ':(relid|resorigtbl|location|stmt_location|stmt_len) -?\\d+', '', 'g'),
            array(select case when c.relnamespace = r.ns then '.' else c.relnamespace::text || '.' end || pg_catalog.quote_ident(c.relname)
                    from pg_catalog.regexp_matches(w.ev_action::text, ':relid (\\d+)', 'g') with ordinality m(g, n)
                    join pg_catalog.pg_class c on c.oid = m.g[1]::oid order by m.n))::text
      from pg_catalog.pg_rewrite w where w.ev_class = r.oid) end)::text`);
}

/** Whether an object's trees name something outside their own table whose oid may be another in another tenant. */
const far = (catalog: string, object: string): string =>
  `exists (select from pg_catalog.pg_depend x where x.classid = 'pg_catalog.${catalog}'::regclass and x.objid = ${object}
     and x.deptype in ('n','a') and x.refobjid <> r.oid
     and x.refclassid not in ('pg_catalog.pg_opclass'::regclass, 'pg_catalog.pg_namespace'::regclass, 'pg_catalog.pg_constraint'::regclass)
     ${catalog === 'pg_class' ? "and x.refclassid <> 'pg_catalog.pg_collation'::regclass" : ''})`;
