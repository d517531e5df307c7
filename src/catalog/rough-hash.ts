import { FACE_OF_TABLE, faces } from './faces.js';
import { foreignReferences } from './object-references.js';
import { isRelevantConstraint } from './relevance-sql.js';
import { keyedHash, rowHash, SEED, seededHash, textHash } from './seeded-hash.js';
import { keyOptions, referencedTable, VIEWED, versionColumns, WITH_OPTIONS } from './table-hash.js';
import type { AlsoRead } from './tenant-relations.js';
import { CONSTRAINTS, defaults, INDEXES, treeHash, treeSql } from './tree-hash.js';

/** What the rough hash needs of the pass over tables and indexes: `rel.h` is made of all columns, whether relevant or not. */
export const readForHash = (version: number, isCut: boolean): AlsoRead => ({
  first: KINDS,
  table: `coalesce(pg_catalog.bit_xor(${COLUMN}), 0) h`,
  over: faces(isCut),
  index: {
    own: seededHash(
      `'i'::text, ic.relam, i.indnkeyatts, i.indkey::int2[], i.indclass, i.indoption::int2[], i.indcollation,
         i.indisunique, i.indisprimary, i.indisexclusion, i.indimmediate, i.indisvalid, i.indisready, i.indislive, i.indisreplident,
         ${versionColumns(version).nullsNotDistinct}, ic.reloptions, ${ownWithin('i.indclass::oid[]', 'opclasses')}, ${ownWithin('i.indcollation::oid[]', 'collations')},
         ${keyOptions}`,
      SEED,
    ),
    trees: (of) => treeHash([`${of}.indpred`, `${of}.indexprs`]),
  },
  words: null,
});

/**
 * Common table expressions that end in `rough`: for every table of `rel` a hash that is soon made, since rows are hashed as
 * they are and each catalog is joined once. Equal rough hash implies equal shape, relative to the tenant; tables of one
 * shape may have several (and each is hashed exactly then), but those of a fleet that was made alike have few.
 *
 * A table's rows are hashed under their keys, no two of which are alike, and put together by XOR: different sets of rows
 * meet by chance once in 2^64, and only different shapes of tables of one name can be mistaken for each other. A fleet in
 * which ten thousand tables of one name are all different has one chance in three hundred thousand million. XOR holds each
 * table in eight bytes, where a sum of bigint is numeric and takes half a kilobyte.
 */
export function roughHashSql(version: number, isCut: boolean): string {
  const { deleteSet, enforced } = versionColumns(version);
  return `
con as materialized (
  select r.oid rel, r.ns, k.oid, k.confrelid, case when k.confrelid <> 0 then k.confkey end confkey,
         case when k.conbin is not null then k.conname end tn, case when k.conbin is not null then ${treeHash(['k.conbin'])} end th,
         ${keyedHash(
           `'k'::text, k.contype, k.conkey, k.condeferrable, k.condeferred, k.convalidated, k.connoinherit,
         k.confupdtype, k.confdeltype, k.confmatchtype, k.conexclop, ${ownWithin('k.conexclop', 'operators')}, ${deleteSet}, ${enforced}`,
           // PostgreSQL 18's NOT NULL constraints have names that are no part of a shape; a column has one at most.
           `case when k.contype <> 'n' then k.conname::text else k.conkey::text end`,
         )} d
    from rel r${isCut ? ` join ${FACE_OF_TABLE}` : ''}
   cross join lateral (select k.* from pg_catalog.pg_constraint k where k.conrelid = r.oid offset 0) k
   where k.contype <> 't'${isCut ? ` and not r.bare and ${isRelevantConstraint('face.nums')}` : ''}),
${treeSql(version, 'dtree', defaults(isCut))},
${treeSql(version, 'itree', INDEXES)},
${treeSql(version, 'ktree', CONSTRAINTS)},
roughly as (
  select r.oid rel, ${textHash('r.relname::text', textHash('r.o'))} h from rel r
  union all select oid, h from rel
  union all
  select r.oid, ${rowHash(`'s', m.attnum, s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle`)}
    from ${IDENTITY_SEQUENCES}
  union all
  select rel, ${seededHash(`'d'::text, t.n`, 't.h')} from dtree t
  union all
  select rel, ${textHash('relname::text', 'd')} from plain
  union all
  select rel, ${seededHash(`'t'::text`, textHash('t.n::text', 't.h'))} from itree t
  union all
  select rel, ${seededHash(`'c'::text`, textHash('t.n::text', 't.h'))} from ktree t
  union all
  select rel, d from con where confrelid = 0
  union all
  select k.rel, ${seededHash(
    `f.relname, k.confkey, case when f.oid is null then ${referencedTable('k.ns')} end`,
    textHash(`coalesce(f.h::text, '')`, 'k.d'),
  )}
    from con k left join rel f on f.oid = k.confrelid and f.ns = k.ns where k.confrelid <> 0
  union all
  select r.oid, ${textHash(
    `row('v', array(select ${VIEWED}
                      from pg_catalog.unnest(pg_catalog.string_to_array(w.ev_action::text, ':relid ')) with ordinality m(t, n)
                      join pg_catalog.pg_class c on c.oid = pg_catalog.split_part(pg_catalog.left(m.t, 12), ' ', 1)::oid where m.n > 1 order by m.n),
         ${foreignReferences('pg_rewrite', 'w.oid')})::text`,
    textHash(withoutNumbers(withoutNumbers('w.ev_action::text', ':relid '), ':resorigtbl ')),
  )}
    from rel r join pg_catalog.pg_rewrite w on w.ev_class = r.oid where r.relkind = 'm'),
rough as materialized (select rel, pg_catalog.bit_xor(h) h from roughly group by 1)`;
}

/**
 * Objects below it came with PostgreSQL itself and are bound to their schema (FirstUnpinnedObjectId): none is a tenant's own,
 * and nearly every column's type need not be looked up.
 */
const FIRST_UNPINNED = 12000;

/**
 * A type or collation of a column: by name where it stands in a tenant, with that tenant unless it is the table's own; else
 * by oid. Asked in the list, since as a condition it would be planned as a join that is made anew for each column.
 */
const relativeTo = (prefix: string, catalog: string, oid: string): string =>
  `coalesce((select case when o.${prefix}namespace in (select oid from ns) then (o.${prefix}name, nullif(o.${prefix}namespace, r.ns))::text end
                 from pg_catalog.${catalog} o where o.oid = ${oid}), ${oid}::text)`;

/** Sequences `s` of identity columns, each looked up by its column: what depends on a table is mostly its indexes. */
const IDENTITY_SEQUENCES = `rel r join ${FACE_OF_TABLE} cross join lateral pg_catalog.unnest(face.numbered) m(attnum)
   cross join lateral (
    select s.* from pg_catalog.pg_depend d join pg_catalog.pg_sequence s on s.seqrelid = d.objid
     where d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = r.oid and d.refobjsubid = m.attnum
       and d.classid = 'pg_catalog.pg_class'::regclass and d.deptype = 'i' offset 0) s`;

const PINNED = `greatest(a.atttypid, a.attcollation) < ${FIRST_UNPINNED}`;

const COLUMN_SAYS =
  'a.attnum, a.attname, a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated, a.atthasdef, a.attinhcount > 0';

/** All that column `a` says, but what its default is. The seeds tell a type's number from its name. */
const COLUMN = `case when ${PINNED} then ${seededHash(`${COLUMN_SAYS}, a.atttypid, a.attcollation`, `${SEED} # a.attnum`)}
    else ${seededHash(
      `${COLUMN_SAYS}, (${relativeTo('typ', 'pg_type', 'a.atttypid')}, ${relativeTo('coll', 'pg_collation', 'a.attcollation')})::text`,
      `~(${SEED} # a.attnum)`,
    )} end`;

/** Whether type `t` stands in a tenant's schema. */
export const OWN_TYPE = 't.typnamespace in (select oid from ns)';

/**
 * The tenant, where one of some oids stands in any tenant's schema; asked of no row where there are none, as in nearly
 * every fleet.
 */
const ownWithin = (oids: string, kind: 'opclasses' | 'collations' | 'operators'): string =>
  `case when (select ${kind} is null from kinds) then null when ${oids} && (select ${kind} from kinds) then r.ns end`;

/**
 * Those of the tenants' own, null for none; and, of {@link keyOptions}, methods and operator classes. Once: each costs the
 * planner as much as a table.
 */
const KINDS = `
kinds as materialized (
  select (select pg_catalog.array_agg(o.oid) from pg_catalog.pg_opclass o where o.opcnamespace in (select oid from ns)) opclasses,
         (select pg_catalog.array_agg(o.oid) from pg_catalog.pg_collation o where o.collnamespace in (select oid from ns)) collations,
         (select pg_catalog.array_agg(o.oid) from pg_catalog.pg_operator o where o.oprnamespace in (select oid from ns)) operators,
         c.methods "optionMethods", c.classes "optionClasses"
    from (select pg_catalog.array_agg(distinct c.opcmethod) methods, pg_catalog.array_agg(c.oid) classes ${WITH_OPTIONS}) c),`;

/**
 * A view's tree without the number, and the blank behind it, that follows each mark: by the first characters of a part alone,
 * since functions that look for characters go through all of a text.
 */
const withoutNumbers = (tree: string, mark: string): string =>
  `pg_catalog.array_to_string(array(select coalesce(pg_catalog.right(m, -nullif(pg_catalog.strpos(pg_catalog.left(m, 12), ' '), 0)), m)
           from pg_catalog.unnest(pg_catalog.string_to_array('0 ' || ${tree}, '${mark}')) m), '')`;
