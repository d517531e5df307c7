import { foreignReferences } from './object-references.js';
import { keyedHash, rowHash, SEED, seededHash } from './seeded-hash.js';
import { REFERENCED_TABLE, versionColumns } from './table-hash.js';
import { CONSTRAINTS, cut, DEFAULTS, INDEXES, treeSql } from './tree-hash.js';

/**
 * Common table expressions that end in `rough`: for every table of `rel` a hash that is soon made, since rows are hashed as
 * they are and each catalog is joined once. Equal rough hash implies equal shape, relative to the tenant; tables of one
 * shape may have several (and each is hashed exactly then), but those of a fleet that was made alike have few.
 *
 * A table's rows are hashed under their keys and summed, exactly (sum of bigint is numeric): sums of different sets of
 * rows meet by chance once in 2^64, and only different shapes of tables of one name can be mistaken for each other. A
 * fleet in which ten thousand tables of one name are all different has one chance in three hundred thousand million.
 */
export function roughHashSql(version: number): string {
  const { nullsNotDistinct, deleteSet, enforced } = versionColumns(version);
  return `
rtyp as materialized (select t.oid from pg_catalog.pg_type t where ${OWN_TYPE}),
rcoll as materialized (select k.oid from pg_catalog.pg_collation k where k.collnamespace in (select oid from ns)),
rcol as materialized (
  select r.oid rel, pg_catalog.sum(${keyedHash(
    `a.attnum, a.attname, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated,
         case when a.atttypid not in (select oid from rtyp) then a.atttypid end,
         case when a.atttypid in (select oid from rtyp)
              then (select (t.typname, nullif(t.typnamespace, r.ns))::text from pg_catalog.pg_type t where t.oid = a.atttypid) end,
         case when a.attcollation not in (select oid from rcoll) then a.attcollation end,
         case when a.attcollation in (select oid from rcoll)
              then (select (l.collname, nullif(l.collnamespace, r.ns))::text from pg_catalog.pg_collation l where l.oid = a.attcollation) end`,
    'a.attname::text',
  )}) h
    from rel r join pg_catalog.pg_attribute a on a.attrelid = r.oid
   where a.attnum > 0 and not a.attisdropped group by 1),
${treeSql(version, 'dtree', DEFAULTS)},
${treeSql(version, 'itree', INDEXES)},
${treeSql(version, 'ktree', CONSTRAINTS)},
roughly as (
  select r.oid rel, ${rowHash('r.o, r.relname')} h from rel r
  union all select rel, h from rcol
  union all
  select r.oid, ${rowHash(`'s', d.refobjsubid, s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle`)}
    from pg_catalog.pg_sequence s join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::regclass and d.objid = s.seqrelid
     and d.refclassid = 'pg_catalog.pg_class'::regclass and d.deptype = 'i' join rel r on r.oid = d.refobjid
  union all
  select rel, ${seededHash(`'d'::text, t.n`, 't.h')} from dtree t
  union all
  select r.oid, ${keyedHash(
    `'i'::text, ic.relname, ic.relam, i.indnkeyatts, i.indkey::int2[], i.indclass, i.indoption::int2[], i.indcollation,
         i.indisunique, i.indisprimary, i.indisexclusion, i.indimmediate, i.indisvalid, i.indisready, i.indislive, i.indisreplident,
         ${nullsNotDistinct}, ic.reloptions, ${ownWithin('i.indclass::oid[]', 'opclass', 'opc')}, ${ownWithin('i.indcollation::oid[]', 'collation', 'coll')}`,
    'ic.relname::text',
    `coalesce(t.h, ${SEED})`,
  )}
    from rel r join pg_catalog.pg_index i on i.indrelid = r.oid join pg_catalog.pg_class ic on ic.oid = i.indexrelid left join itree t on t.oid = i.indexrelid
   where i.indexrelid not in (select indexrelid from own)
  union all
  select i.indrelid, ${rowHash(`'o', ic.relname, a.attnum, a.attoptions`)}
    from pg_catalog.pg_attribute a join pg_catalog.pg_index i on i.indexrelid = a.attrelid join pg_catalog.pg_class ic on ic.oid = a.attrelid
    join rel r on r.oid = i.indrelid where ic.relam = any(array(select c.opcmethod ${WITH_OPTIONS})) and i.indclass::oid[] && array(select c.oid ${WITH_OPTIONS}) and a.attoptions is not null and i.indexrelid not in (select indexrelid from own)
  union all
  select r.oid, ${keyedHash(
    `'k'::text, k.contype, k.conkey, k.condeferrable, k.condeferred, k.convalidated,
         k.connoinherit, f.relname, f.h, case when k.confrelid <> 0 and f.oid is null then ${REFERENCED_TABLE} end, k.confkey,
         k.confupdtype, k.confdeltype, k.confmatchtype, k.conexclop, ${ownWithin('k.conexclop', 'operator', 'opr')},
         ${deleteSet}, ${enforced}`,
    // PostgreSQL 18's NOT NULL constraints have names that are no part of a shape; a column has one at most.
    `case when k.contype <> 'n' then k.conname::text else k.conkey::text end`,
    `coalesce(t.h, ${SEED})`,
  )}
    from rel r join pg_catalog.pg_constraint k on k.conrelid = r.oid left join ktree t on t.oid = k.oid
    left join (select f.oid, f.ns, f.relname, c.h from rel f join rcol c on c.rel = f.oid) f on f.oid = k.confrelid and f.ns = r.ns
   where k.contype <> 't'
  union all
  select r.oid, ${rowHash(`'v', ${VIEW_MARKS.reduce(cut, 'w.ev_action::text')},
         array(select case when c.relnamespace = r.ns then '.' else c.relnamespace::text || '.' end || pg_catalog.quote_ident(c.relname)
                    from pg_catalog.unnest(pg_catalog.string_to_array(w.ev_action::text, ':relid ')) with ordinality m(t, n)
                    join pg_catalog.pg_class c on c.oid = pg_catalog.split_part(pg_catalog.left(m.t, 12), ' ', 1)::oid where m.n > 1 order by m.n),
         ${foreignReferences('pg_rewrite', 'w.oid')}`)}
    from rel r join pg_catalog.pg_rewrite w on w.ev_class = r.oid where r.relkind = 'm'),
rough as materialized (select rel, pg_catalog.sum(h) h from roughly group by 1)`;
}

/** Whether type `t` stands in a tenant's schema, and is not the row type of a table there (or an array of that). */
export const OWN_TYPE = `t.typnamespace in (select oid from ns) and not exists (
  select from pg_catalog.pg_class c where c.relkind <> 'c' and c.oid = coalesce(nullif(t.typrelid, 0),
    (select e.typrelid from pg_catalog.pg_type e where e.oid = t.typelem and e.typarray = t.oid)))`;

/** The tenant, where one of some oids stands in any tenant's schema; asked of no row where there are none, as in nearly every fleet. */
function ownWithin(oids: string, catalog: string, prefix: string): string {
  const within = `array(select o.oid from pg_catalog.pg_${catalog} o join ns on ns.oid = o.${prefix}namespace)`;
  return `case when ${within} = '{}' then null when ${oids} && ${within} then r.ns end`;
}

/** Operator classes that can have options: their support function's signature, of which b-trees have others too. */
const WITH_OPTIONS = `from pg_catalog.pg_opclass c join pg_catalog.pg_amproc p on p.amprocfamily = c.opcfamily
    join pg_catalog.pg_proc f on f.oid = p.amproc
   where f.prorettype = 'void'::regtype and f.pronargs = 1 and (c.opcmethod <> 403 or p.amprocnum = 5)`;

/** What differs in a view's tree from tenant to tenant, and stands before a number. */
const VIEW_MARKS = [':relid ', ':resorigtbl ', ':location ', ':stmt_location ', ':stmt_len '];
