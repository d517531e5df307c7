import { COLUMNS_OF_TABLE, FACE_OF_TABLE } from './faces.js';
import { HAS_HEIRS } from './named-schemas.js';
import { NAMED_INDEXES, PERHAPS_RELEVANT, RELEVANT_INDEX } from './relevance-sql.js';
import { textHash } from './seeded-hash.js';
import { keyOf, standingApart, withOwner } from './standing-apart.js';

/** What else the pass over the tenants' tables and indexes is to gather, as SQL. */
export interface AlsoRead {
  /** Common table expressions that the others take, over `ns`; each with a comma behind it. */
  readonly first: string;
  /** Columns more of each table, as aggregates over the columns `a` of table `r`, `h` among them; empty for none. */
  readonly table: string;
  /** Common table expressions over `rel`; each with a comma behind it. */
  readonly over: string;
  /** What else of each index, beside `face`. Null: only those that may stand apart are read. */
  readonly index: IndexHashing | null;
  /** Puts the predicate of index `i` of table `r` (of `face`) into words; null where nobody asks. */
  readonly words: ((tree: string) => string) | null;
}

/** How an index is hashed. */
interface IndexHashing {
  /** What index `i` (in pg_class `ic`) of table `r` says beside its name and trees, hashed. */
  readonly own: string;
  /** The hash of its trees, which are columns of this. */
  readonly trees: (of: string) => string;
}

const treesOf = (of: string, { trees }: IndexHashing): string =>
  `case when ${of}.indpred is not null or ${of}.indexprs is not null then ${trees(of)} end`;

/** Nothing beside: for who asks about ownership alone. */
export const NOTHING_MORE: AlsoRead = { first: '', table: '', over: '', index: null, words: null };

/**
 * No row, of which the planner expects a thousand. A name of which its sample of pg_class holds few is expected on a handful
 * of tables, whatever the size of the fleet, and everything that is joined to them would be gone through once for each: twenty
 * times the time, by chance of the sample. And where few indexes are expected, hash tables are made of them, with all that is
 * kept of each, three times over, and not of the tables and owners that they are joined to.
 */
export const many = (columns: number): string =>
  `select ${Array(columns).fill('null').join(', ')} from pg_catalog.generate_series(1, (select 0))`;

/**
 * Common table expressions shared by the queries: `ns` (the tenants, $1 oids), `rel` (their declared tables, $2 names), `ix`
 * (their indexes; `may` are those that may stand apart, by the filter $3 as JSON, and `fams` says which families may claim
 * one, with null for one that is not digested), `owned` (which phase owns those of one key), `own`, the indexes that do
 * stand apart, and `plain`, all that do not (`d` is the hash of what an index says beside its name and trees, `th` that of
 * its trees). px and pq are the schema as a prefix in SQL and inside a literal. Each catalog is passed over once: of a
 * fleet, that is most of the cost. Whose an index is by its method and columns is asked once for all that say the same of
 * tables with like columns.
 * @param isCut of tables that the filter cuts, `ix` has the relevant indexes alone, and `rel` says what is relevant; a table of
 * which nothing is (`bare`) is asked for no more than whether it is there
 */
export function tenantRelations(also: AlsoRead = NOTHING_MORE, isCut = false): string {
  const { index, words } = also;
  const alike = index === null ? KEYS : ALIKE;
  const isHashed = index !== null;
  return `
ns as materialized (
  select n.oid, n.nspname, pg_catalog.quote_ident(n.nspname) || '.' px,
         pg_catalog.replace(pg_catalog.quote_ident(n.nspname), '''', '''''') || '.' pq
    from pg_catalog.pg_namespace n where n.oid = any($1::oid[])),${also.first}${isCut ? `${CUT}${NAMED_INDEXES}` : ''}
rule as materialized (
  select phase, columns::name[] columns, (columns || ignoring)::name[] allowed,
         array(select am.oid from pg_catalog.pg_am am where am.amname = any(methods)) methods
    from (select o ->> 'phase' phase, array(select pg_catalog.jsonb_array_elements_text(o -> 'methods')) methods,
                 array(select pg_catalog.jsonb_array_elements_text(o -> 'columns')) columns,
                 array(select pg_catalog.jsonb_array_elements_text(o -> 'ignoring')) ignoring
            from pg_catalog.jsonb_array_elements($3::jsonb -> 'ownership') o) r),
fam as materialized (
  select f ->> 'table' tab, f ->> 'prefix' prefix, f ->> 'pattern' pattern,
         case when f -> 'likes' <> 'null' then array(select pg_catalog.jsonb_array_elements_text(f -> 'likes')) end likes, (f ->> 'digested')::int4 digested,
         array(select pg_catalog.jsonb_array_elements_text(f -> 'declared'))::name[] declared
    from pg_catalog.jsonb_array_elements($3::jsonb -> 'families') f),
rel as materialized (
  select * from (
  select c.oid, c.relname, c.relnamespace ns, n.nspname, n.px, n.pq, c.relkind,
         concat_ws('|', c.relkind, c.relpersistence, c.relispartition, ${HAS_HEIRS}, c.relreplident) o,
         case when c.relname::text = any(array(select tab from fam)) then c.relname::text end tab${isCut ? ', cut.columns, cut.changeable, cut.names, cut.methods, cut.prefixes, coalesce(cut.bare, false) bare' : ''}
    from ns n cross join lateral (
      select * from pg_catalog.pg_class c where c.relnamespace = n.oid and c.relname = any($2::name[]) offset 0) c${isCut ? ' left join cut on cut.tab = c.relname' : ''}
   where pg_catalog.strpos('rpmvf', c.relkind::text) <> 0
  union all ${many(isCut ? 15 : 9)}) r${
    also.table === ''
      ? ''
      : `
   cross join lateral (select ${also.table}
     from pg_catalog.pg_attribute a where ${COLUMNS_OF_TABLE}${isCut ? ' and not r.bare' : ''}) a`
  }),${also.over}
ix as materialized (
  select r.oid rel, ${alike} alike, i.indexrelid, ic.relname, ic.relam, i.indisvalid and i.indisready and i.indislive usable, told.ruled, told.fams,
         ${MAY_STAND_APART} may, case when told.ruled then i.indexprs end indexprs, i.indexprs is not null or i.indisunique or i.indisexclusion single,
         case when told.ruled${words === null ? '' : " and told.fams = '{}'"} then i.indpred end indpred${words === null ? '' : `, case when told.fams <> '{}' then ${words('i.indpred')} end words`}${
           index === null
             ? ''
             : `,
         ${index.own} d, case when not ${MAY_STAND_APART} then ${treesOf('i', index)} end th`
         }
    from rel r${words === null || index === null ? '' : ` join ${FACE_OF_TABLE}`} ${index === null ? LOOKED_UP : JOINED}${isCut ? ` and not r.bare and ${PERHAPS_RELEVANT}` : ''}
   cross join lateral (select ic.relam = any(array(select pg_catalog.unnest(methods) from rule)) "is") ruled
   cross join lateral (
    select ruled.is ruled, case when r.tab is not null and ic.relname::text ^@ any(array(select prefix from fam)) then array(
      select case when not ic.relname = any(fam.declared) then fam.digested end from fam
       where fam.tab = r.tab and pg_catalog.starts_with(ic.relname::text, fam.prefix)
         and case when fam.likes is null then ic.relname ~ fam.pattern else ic.relname::text like any (fam.likes) end) else '{}'::int4[] end fams offset 0) told
   ${isCut ? `where ${RELEVANT_INDEX}` : index === null ? `where ${MAY_STAND_APART}` : ''}${
     index === null
       ? ''
       : `
  union all ${many(words === null ? 14 : 15)}`
   }),
${isCut ? 'unusable as materialized (select indexrelid from ix where not usable),' : ''}
claim as materialized (
  select k.k, rule.phase from (select ${keyOf('ix', isHashed)} k, relam, min(indexrelid) indexrelid from ix where ruled group by 1, 2) k
   cross join lateral (select i.indrelid, (i.indkey::int2[])[0:i.indnkeyatts - 1] || case when i.indexprs is null then '{}'::int2[]
      else array(select m[1]::int2 from pg_catalog.regexp_matches(i.indexprs::text, ':varattno (\\d+)', 'g') m) end keys
      from pg_catalog.pg_index i where i.indexrelid = k.indexrelid offset 0) i
   cross join lateral (select array(select a.attname from pg_catalog.pg_attribute a where a.attrelid = i.indrelid and a.attnum = any(i.keys)) names offset 0) n
    join rule on k.relam = any(rule.methods) and n.names <@ rule.allowed and n.names && rule.columns
  union all ${many(2)}),
owned as materialized (
  select k, phase, phase = any(array(select pg_catalog.jsonb_array_elements_text($3::jsonb -> 'selected'))) selected
    from (select k, max(phase) phase from claim group by 1) c),
declared as materialized (select pg_catalog.jsonb_array_elements_text($3::jsonb -> 'names') "name"),
own as not materialized (${standingApart(isHashed)}),
plain as materialized (
  select rel, indexrelid, relname${index === null ? '' : `, d, th`} from ix where not may
  union all
  select c.rel, c.indexrelid, c.relname${index === null ? '' : `, c.d, ${treesOf('c', index)}`} from ${withOwner(isHashed)}
   where c.may and owned.phase is null and c.fams = '{}')`;
}

/**
 * The indexes of table `r`. Of a whole fleet it takes less to join them. Of a few tenants each has to be looked up: without
 * statistics, as after a restore or an upgrade, the planner expects hundreds of indexes on a table, and goes through those
 * of all tenants.
 */
const JOINED = 'join pg_catalog.pg_index i on i.indrelid = r.oid join pg_catalog.pg_class ic on ic.oid = i.indexrelid';
const LOOKED_UP = `cross join lateral (
      select i.* from pg_catalog.pg_index i where i.indrelid = r.oid offset 0) i join lateral (
      select ic.* from pg_catalog.pg_class ic where ic.oid = i.indexrelid offset 0) ic on true`;

/** Of the others no more is kept than a hash of their trees: a hundred indexes of a tenant would fill the memory with those. */
const MAY_STAND_APART = "(told.ruled or told.fams <> '{}')";

/**
 * Indexes of one `alike` and one hash of what they say have alike keys: numbers of columns mean the same where tables name
 * theirs alike.
 */
const ALIKE = `r.h # case when told.ruled and i.indexprs is not null then ${textHash('i.indexprs::text')} else 0 end`;

/** What keys consist of, word for word. */
const KEYS = `concat_ws('|', r.oid, ic.relam, i.indnkeyatts, i.indkey, i.indexprs)`;

const CUT = `
cut as materialized (
  select c ->> 'table' tab, array(select pg_catalog.jsonb_array_elements_text(c -> 'columns'))::name[] columns,
         array(select pg_catalog.jsonb_array_elements_text(c -> 'changeable'))::name[] changeable,
         array(select pg_catalog.jsonb_array_elements_text(c -> 'names'))::name[] names,
         array(select am.oid from pg_catalog.pg_am am where am.amname::text = any(array(select pg_catalog.jsonb_array_elements_text(c -> 'methods')))) methods,
         array(select pg_catalog.jsonb_array_elements_text(c -> 'prefixes')) prefixes,
         (c -> 'bare')::bool bare
    from pg_catalog.jsonb_array_elements($3::jsonb -> 'relevant') c),`;
