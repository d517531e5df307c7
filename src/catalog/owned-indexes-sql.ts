import { textHash } from './seeded-hash.js';
import { versionColumns } from './table-hash.js';

/**
 * SQL for one text that stands for a set of indexes by names and predicates: equal exactly where both agree to the
 * letter. Records, not joined text: no name can pass for two.
 */
export const memberDigest = (name: string, predicate: string): string =>
  `pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.string_agg(row((${name})::text, (${predicate})::text)::text, '' order by (${name})::text collate "C"), 'UTF8')), 'base64')`;

/**
 * Common table expressions that read, beside `own`, what {@link OWNED_ROWS} gives. What a definition says is put into words
 * once for all that agree to the letter.
 * @param isRough many tenants are read: takes {@link SEED}, `rel.h` and `own.d`
 */
export function ownedSql(version: number, isRough: boolean): string {
  const { nullsNotDistinct } = versionColumns(version);
  // Numbers of columns mean the same where tables name theirs alike. An expression may name a tenant's own: one table's alone.
  const alike = textHash(
    `concat_ws('|', r.h, case when i.indexprs is not null or i.indisunique or i.indisexclusion then i.indexrelid end)`,
    'own.d',
  );
  const ownTable = 'pg_catalog.pg_get_expr(i.indpred, i.indrelid)';
  // The one table may go meanwhile, and would take the words of all with it.
  const predicate = isRough ? `coalesce(pg_catalog.pg_get_expr(i.indpred, face.rel), ${ownTable})` : ownTable;
  return `${isRough ? LIKE_COLUMNS : ''}
found as materialized (
  select r.relname::text tab, c.nm::text nm, ns.nspname::text ns, i.indexrelid, own.phase, pred.px, pred.is pred,
         case when own.fams = 1 and not coalesce(pred.px, false) and (own.phase is null or own.phase = any(sel.phases)) then own.fam end fam,
         ${isRough ? alike : 'i.indexrelid::text::int8'} alike
    from own join ix c on c.indexrelid = own.indexrelid join rel r on r.oid = c.rel join ns on ns.oid = r.ns${isRough ? '\n    join face on face.relname = r.relname and face.h = r.h' : ''}
    join pg_catalog.pg_index i on i.indexrelid = own.indexrelid
   cross join lateral (
    select p "is", pg_catalog.strpos(p, r.px) > 0 or pg_catalog.strpos(p, r.pq) > 0 px
      from (select case when i.indpred is not null then ${predicate} end p offset 0) t offset 0) pred
   cross join (select array(select pg_catalog.jsonb_array_elements_text($3::jsonb -> 'selected')) phases offset 0) sel),
said as materialized (
  select d.alike, pg_catalog.hashtextextended(concat_ws('|', ic.relam, i.indnkeyatts, i.indclass, i.indoption, i.indcollation, i.indisunique,
           i.indisvalid, i.indisready, i.indislive, ${nullsNotDistinct}, coalesce(ic.reloptions::text, '-'),
           (select pg_catalog.string_agg((select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = i.indrelid and a.attnum = m.attnum), '|' order by m.n)
              from pg_catalog.unnest(i.indkey::int2[]) with ordinality m(attnum, n)),
           (select pg_catalog.string_agg(concat_ws('|', a.attnum, a.attoptions), ',' order by a.attnum)
              from pg_catalog.pg_attribute a where a.attrelid = i.indexrelid and a.attoptions is not null),
           case when i.indexprs is not null
                then pg_catalog.replace(pg_catalog.replace(pg_catalog.pg_get_expr(i.indexprs, i.indrelid), r.px, E'\\x01'), r.pq, E'\\x01') end,
           exists (select from pg_catalog.pg_constraint k where k.conrelid = i.indrelid and k.conindid = i.indexrelid and k.contype in ('p','u','x') offset 0)), 0)::text def
    from (select alike, min(indexrelid) indexrelid from found group by 1) d
   cross join lateral (select i.* from pg_catalog.pg_index i where i.indexrelid = d.indexrelid offset 0) i
   cross join lateral (select ic.* from pg_catalog.pg_class ic where ic.oid = d.indexrelid offset 0) ic
    join rel r on r.oid = i.indrelid),
idx as materialized (select f.*, said.def from found f join said on said.alike = f.alike),
member as materialized (
  select tab, fam, ns, nm, pred, indexrelid, row(def, phase, ${SKELETON})::text kind from idx where idx.fam is not null),
unit as (
  select tab, fam, ns, ${memberDigest('nm', 'pred')} digest, pg_catalog.array_agg(distinct kind) kinds from member group by 1, 2, 3),
kind as (
  select tab, fam, kind, min(indexrelid::text::int8) "first", max(indexrelid::text::int8) "last" from member group by 1, 2, 3)`;
}

/**
 * Tables of one name and like columns, by one of them. A predicate reads alike over each, and the server opens the table over
 * which it puts one into words: of ten thousand that took as long as the words of nine members each.
 */
const LIKE_COLUMNS = `
face as materialized (select relname, h, min(oid) rel from rel group by 1, 2),`;

/** One row a group of owned indexes, of tenants' members and of kinds of those, in the columns of {@link FleetRow}. */
export const OWNED_ROWS = `
select 'index' what, tab, nm "name", def, pred, own, phase, min(indexrelid::text::int8)::text rep, pg_catalog.array_agg(ns) schemas,
       null::text[] digests, null::int4 fam, null::text[] kinds, null::jsonb tables
  from (select idx.*, case when px then ns end own from idx where idx.fam is null) i group by 2, 3, 4, 5, 6, 7
union all
select 'members', tab, null, null, null, null, null, null, pg_catalog.array_agg(ns), pg_catalog.array_agg(digest), fam, kinds, null from unit group by tab, fam, kinds
union all
select 'kind', idx.tab, idx.nm, idx.def, idx.pred, null, idx.phase, idx.indexrelid::text, array[idx.ns], null, idx.fam, array[kind.kind], null
  from kind join idx on idx.indexrelid::text::int8 in (kind."first", kind."last")`;

/** The predicate without its constants. Only to group members: whether they are right is judged by all of the text. */
const SKELETON = `pg_catalog.regexp_replace(pred, '''(?:[^'']|'''')*''|\\m\\d+\\M', '?', 'g')`;
