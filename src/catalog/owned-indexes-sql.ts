import { FACE_OF_TABLE } from './faces.js';
import { foreignReferences } from './object-references.js';
import { SEED, textHash } from './seeded-hash.js';
import { ownInKeys, relativeExpression, versionColumns } from './table-hash.js';
import { many } from './tenant-relations.js';

/**
 * A member, hashed by its name and predicate under a seed. Members are put together by XOR, and counted: two of one name and
 * predicate, as rows may ask for, would leave nothing of each other.
 */
export const memberHash = (name: string, predicate: string, seed: string): string =>
  textHash(`coalesce((${predicate})::text, E'\\x01')`, textHash(`(${name})::text`, seed));

/**
 * SQL for one text that stands for a set of members: equal where both have the same names and predicates to the letter, and
 * elsewhere by chance once in 2^64.
 * @param count how many they are
 * @param hash those of {@link memberHash}, put together
 */
export const memberDigest = (count: string, hash: string): string => `${count}::text || ':' || ${hash}::text`;

/**
 * A predicate of table `r`, as the server says it. Over the face's table, which may go meanwhile, and would take the words
 * of all with it.
 */
export const inWords =
  (isRough: boolean) =>
  (tree: string): string =>
    isRough
      ? `coalesce(pg_catalog.pg_get_expr(${tree}, face.rel), pg_catalog.pg_get_expr(${tree}, r.oid))`
      : `pg_catalog.pg_get_expr(${tree}, r.oid)`;

/**
 * Common table expressions that read, beside `own`, what {@link OWNED_ROWS} gives. What a definition says is put into words
 * once for all that agree to the letter.
 * @param isRough many tenants are read: takes {@link SEED}, `own.k` and `face`
 */
export function ownedSql(version: number, isRough: boolean): string {
  const { nullsNotDistinct } = versionColumns(version);
  // An expression may name a tenant's own: one index's alone.
  const alike = `own.k # case when own.single then ${textHash('own.indexrelid::text')} else 0 end`;
  return `
found as materialized (
  select r.relname tab, own.relname nm, r.ns, r.nspname, own.indexrelid, own.phase, pred.px, pred.is pred,
         case when not coalesce(pred.px, false) then
           case when pg_catalog.cardinality(own.fams) = 1 then own.fams[1]
                when pg_catalog.cardinality(pg_catalog.array_remove(own.fams, null)) = 1 then (pg_catalog.array_remove(own.fams, null))[1] end end fam,
         ${isRough ? alike : 'own.indexrelid::text::int8'} alike
    from own join rel r on r.oid = own.rel${isRough ? `\n    join ${FACE_OF_TABLE}` : ''}
   cross join lateral (
    select p "is", pg_catalog.strpos(p, r.px) > 0 or r.pq <> r.px and pg_catalog.strpos(p, r.pq) > 0 px
      from (select case when own.fams <> '{}' then own.words when own.indpred is not null then ${inWords(isRough)('own.indpred')} end p offset 0) t offset 0) pred${isRough ? `\n  union all ${many(10)}` : ''}),
said as materialized (
  select d.alike, pg_catalog.hashtextextended(concat_ws('|', ic.relam, i.indnkeyatts, i.indclass, i.indoption, i.indcollation, i.indisunique,
           i.indisvalid, i.indisready, i.indislive, i.indisreplident, ${nullsNotDistinct}, coalesce(ic.reloptions::text, '-'),
           (select pg_catalog.string_agg((select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = i.indrelid and a.attnum = m.attnum), '|' order by m.n)
              from pg_catalog.unnest(i.indkey::int2[]) with ordinality m(attnum, n)),
           (select pg_catalog.string_agg(concat_ws('|', a.attnum, a.attoptions), ',' order by a.attnum)
              from pg_catalog.pg_attribute a where a.attrelid = i.indexrelid and a.attoptions is not null),
           ${ownInKeys('r.ns')}::text,
           case when i.indexprs is not null then (${relativeExpression('i.indexprs')}, ${foreignReferences('pg_class', 'i.indexrelid')})::text end,
           exists (select from pg_catalog.pg_constraint k where k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p','u','x') offset 0)), 0) def
    from (select alike, min(indexrelid) indexrelid from found group by 1) d
   cross join lateral (select i.* from pg_catalog.pg_index i where i.indexrelid = d.indexrelid offset 0) i
   cross join lateral (select ic.* from pg_catalog.pg_class ic where ic.oid = d.indexrelid offset 0) ic
    join rel r on r.oid = i.indrelid),
member as materialized (
  select m.*, f.nm, f.pred, f.phase, f.nspname, ${textHash(SKELETON, 'm.def')} kind from (
    select f.tab, f.fam, f.ns, said.def, count(*) n, pg_catalog.bit_xor(${memberHash('f.nm', 'f.pred', SEED)}) h, min(f.indexrelid) "first"
      from found f join said on said.alike = f.alike where f.fam is not null group by 1, 2, 3, 4) m
    join found f on f.indexrelid = m.first cross join lateral (select ${UNQUOTED} said offset 0) bare),
unit as (
  select tab, fam, ns, ${memberDigest('sum(n)', 'pg_catalog.bit_xor(h)')} digest, pg_catalog.array_agg(kind::text order by kind) kinds
    from member group by 1, 2, 3)`;
}

/** One row a group of owned indexes, of tenants' members and of kinds of those, in the columns of {@link FleetRow}. */
export const OWNED_ROWS = `
select 'index' what, tab::text, nm::text "name", def::text, pred, own, phase, min(indexrelid::text::int8)::text rep, pg_catalog.array_agg(ns) schemas,
       null::text[] digests, null::int4 fam, null::text[] kinds, null::jsonb tables
  from (select f.tab, f.nm, said.def, f.pred, case when f.px then f.nspname::text end own, f.phase, f.indexrelid, f.nspname::text ns
          from found f join said on said.alike = f.alike where f.fam is null) i group by tab, nm, def, pred, own, phase
union all
select 'members', tab::text, null, null, null, null, null, null, pg_catalog.array_agg(n.nspname::text), pg_catalog.array_agg(digest), fam, kinds, null
  from unit join ns n on n.oid = unit.ns group by tab, fam, kinds
union all
select 'kind', m.tab::text, m.nm::text, m.def::text, m.pred, null, m.phase, m.first::text, array[m.nspname::text], null, m.fam, array[m.kind::text], null
  from (select member.*, min("first") over alike lowest, max("first") over alike highest from member window alike as (partition by tab, fam, kind)) m
 where m.first in (m.lowest, m.highest)`;

/**
 * The predicate without its string constants, as far as there are three, and without digits. Only to group members: whether
 * they are right is judged by all of the text. A regular expression takes seven times as long.
 */
const UNQUOTED = [1, 3, 5, 7]
  .map((piece) => `pg_catalog.split_part(coalesce(f.pred, ''), '''', ${piece})`)
  .join(' || ');
const SKELETON = `case when bare.said ~ '[0-9]' then pg_catalog.translate(bare.said, '0123456789', '') else bare.said end`;
