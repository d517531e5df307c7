import { foreignReferences, isFar } from './object-references.js';
import { isChangeableColumn, isRelevantColumn, isRelevantConstraint } from './relevance-sql.js';

/** A text, hashed so that nobody finds two of one hash. */
export const digest = (text: string): string => `pg_catalog.sha256(pg_catalog.convert_to(${text}, 'UTF8'))`;

/** The columns that only some versions have, as expressions over pg_index `i` and pg_constraint `k`. */
export const versionColumns = (version: number) => ({
  nullsNotDistinct: version < 150000 ? 'false' : 'i.indnullsnotdistinct',
  deleteSet: version < 150000 ? 'null::int2[]' : 'k.confdelsetcols',
  enforced: version < 180000 ? 'null::bool, null::bool' : 'k.conenforced, k.conperiod',
});

/** A node tree without the source positions that it holds up to 16: the same expression typed with another blank. */
const withoutPositions = (version: number, tree: string): string =>
  version < 170000 ? `pg_catalog.regexp_replace(${tree}, ':location -?\\d+', '', 'g')` : tree;

/** An expression as the server writes it, with the tenant's own schema left out. */
export const relativeExpression = (tree: string): string =>
  `pg_catalog.replace(pg_catalog.replace(pg_catalog.pg_get_expr(${tree}, r.oid), r.px, E'\\x01'), r.pq, E'\\x01')`;

/** How tables are hashed. */
export interface Hashing {
  /** Roughly first, and exactly only where that tells them apart; takes a seed, `SEED`. */
  readonly isRough: boolean;
  /** Of some tables only what is relevant. */
  readonly isCut: boolean;
}

/** Whether the pass read every index that is hashed, so that `plain` and `shown` have it: else only those that may stand apart. */
export const readsPlainIndexes = ({ isRough, isCut }: Hashing): boolean => isRough || isCut;

/**
 * Everything that makes the shape of table `r` of the common table expression `rel`, beside `loc` (the tenants' own types and
 * collations), hashed. Begun from a query that was tried against 18 kinds of damage on PostgreSQL 14 to 18. Equal hash must
 * imply equal shape relative to the tenant: node trees are hashed raw, and deparsed only where they name something outside
 * their own table, whose oids differ from tenant to tenant. Records, not joined text: no name can pass for two, and NULL is
 * not left out.
 * Where there is `shown`, it says which indexes. Of what is not relevant to a table that is cut, a column's number and name are
 * hashed, and of any other object nothing.
 */
export function tableHash(version: number, how: Hashing): string {
  const { isCut } = how;
  const expression = (column: string, catalog: string, object: string, or = '') =>
    `case when ${column} is null then null when ${isFar(catalog, object)}${or}
       then (${relativeExpression(column)}, ${foreignReferences(catalog, object)})::text else ${withoutPositions(version, `${column}::text`)} end`;
  const { nullsNotDistinct, deleteSet, enforced } = versionColumns(version);
  return digest(`(r.o, r.relname,
  (select pg_catalog.string_agg((a.attnum, a.attname, a.attinhcount > 0, ${isCut ? `case when ${isRelevantColumn('a.attname')} then (` : ''}
            case when t.oid is null then a.atttypid::text when t.ns = r.ns then '.' || pg_catalog.quote_ident(t.nm) else a.atttypid::text || '!' end,
            a.atttypmod, a.attnotnull, a.attidentity, a.attgenerated,
            case when l.oid is null then a.attcollation::text when l.ns = r.ns then '.' || pg_catalog.quote_ident(l.nm) else a.attcollation::text || '!' end,
            case when a.attidentity <> ''${isCut ? ` and ${isChangeableColumn('a.attname')}` : ''} then (
              select (s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)::text
                from pg_catalog.pg_depend d join pg_catalog.pg_sequence s on s.seqrelid = d.objid
               where d.classid = 'pg_catalog.pg_class'::regclass and d.refclassid = 'pg_catalog.pg_class'::regclass
                 and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.deptype = 'i') end${isCut ? ')::text end' : ''})::text, '' order by a.attnum)
     from pg_catalog.pg_attribute a left join loc t on t.oid = a.atttypid left join loc l on l.oid = a.attcollation
    where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped),
  (select pg_catalog.string_agg((d.adnum, ${expression('d.adbin', 'pg_attrdef', 'd.oid')})::text, '' order by d.adnum)
     from pg_catalog.pg_attrdef d where d.adrelid = r.oid${isCut ? ` and (r.columns is null or d.adnum = any(${CHANGEABLE_NUMBERS}))` : ''}),
  (select pg_catalog.string_agg((ic.relname, ic.relam, i.indnkeyatts, i.indkey, i.indclass, i.indoption, i.indcollation,
            i.indisunique, i.indisprimary, i.indisexclusion, i.indimmediate, i.indisvalid, i.indisready, i.indislive, i.indisreplident,
            ${nullsNotDistinct}, ic.reloptions, ${ownInKeys('r.ns')},
            ${expression('i.indpred', 'pg_class', 'i.indexrelid')}, ${expression('i.indexprs', 'pg_class', 'i.indexrelid')},
            (select pg_catalog.string_agg((a.attnum, a.attoptions)::text, '' order by a.attnum)
               from pg_catalog.pg_attribute a where a.attrelid = i.indexrelid and a.attoptions is not null))::text, '' order by ic.relname)
     from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
    where i.indrelid = r.oid and i.indexrelid ${readsPlainIndexes(how) ? 'in (select indexrelid from shown)' : '<> all(array(select indexrelid from own))'}),
  (select pg_catalog.string_agg(k.said, '' order by k.said collate "C") from (
     select (k.contype, case when k.contype <> 'n' then k.conname end, k.conkey, k.condeferrable, k.condeferred, k.convalidated, k.connoinherit,
             case when k.confrelid <> 0 then ${referencedTable('r.ns')} end,
             k.confupdtype, k.confdeltype, k.confmatchtype, k.conexclop, ${deleteSet}, ${enforced},
             ${expression('k.conbin', 'pg_constraint', 'k.oid', " or k.conbin::text ~ ':varattno 0 '")})::text said
       from pg_catalog.pg_constraint k where k.conrelid = r.oid and k.contype <> 't'${isCut ? ` and ${isRelevantConstraint(CHANGEABLE_NUMBERS)}` : ''}) k),
  case when r.relkind = 'm' then (${VIEW}) end)::text`);
}

/** Those of table `r`'s columns whose defaults and constraints are relevant. */
const CHANGEABLE_NUMBERS = `array(
       select a.attnum from pg_catalog.pg_attribute a where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped and ${isChangeableColumn('a.attname')})`;

/**
 * The table that a foreign key `k` refers to, by name, with its schema's unless that is the tenant of this oid, and its
 * columns by name: by oid, a shape that is remembered would outlive the name of a table that tenants share. Looked up one by
 * one, where a join went through all columns of that table.
 */
export const referencedTable = (tenant: string): string => `(
               select (case when f.relnamespace = ${tenant} then '' else f.relnamespace::pg_catalog.regnamespace::text end || '.' || pg_catalog.quote_ident(f.relname),
                       array(select (select fa.attname from pg_catalog.pg_attribute fa where fa.attrelid = k.confrelid and fa.attnum = m.attnum)
                               from pg_catalog.unnest(k.confkey) with ordinality m(attnum, n) order by m.n))::text
                 from pg_catalog.pg_class f where f.oid = k.confrelid)`;

/** Which of an index's operator classes and collations, hashed by oid, are the tenant's own: to another tenant they are not. */
export const ownInKeys = (namespace: string): string =>
  `array(select o.oid from pg_catalog.pg_opclass o where o.oid = any(i.indclass) and o.opcnamespace = ${namespace}
             union all select o.oid from pg_catalog.pg_collation o where o.oid = any(i.indcollation) and o.collnamespace = ${namespace} order by 1)`;

/**
 * Relation `c` that the tree of a materialized view `r`, in rule `w`, names: by name in the tenant, with the columns that the view
 * reads, which the tree has by number alone.
 */
export const VIEWED = `(case when c.relnamespace = r.ns then '.' else c.relnamespace::text || '.' end || pg_catalog.quote_ident(c.relname),
              array(select (a.attnum, a.attname)::text
                      from pg_catalog.pg_depend x join pg_catalog.pg_attribute a on a.attrelid = x.refobjid and a.attnum = x.refobjsubid
                     where x.classid = 'pg_catalog.pg_rewrite'::regclass and x.objid = w.oid
                       and x.refclassid = 'pg_catalog.pg_class'::regclass and x.refobjid = c.oid order by a.attnum))::text`;

/**
 * A materialized view's tree with its relations blanked, then those relations by name; what else is foreign, by oid. No
 * lock is taken.
 */
const VIEW = `
    select (pg_catalog.regexp_replace(w.ev_action::text, ':(relid|resorigtbl|location|stmt_location|stmt_len) -?\\d+', '', 'g'),
            array(select ${VIEWED}
                    from pg_catalog.regexp_matches(w.ev_action::text, ':relid (\\d+)', 'g') with ordinality m(g, n)
                    join pg_catalog.pg_class c on c.oid = m.g[1]::oid order by m.n),
            ${foreignReferences('pg_rewrite', 'w.oid')})::text
      from pg_catalog.pg_rewrite w where w.ev_class = r.oid`;

/** Operator classes that can have options: their support function's signature, of which b-trees have others too. */
export const WITH_OPTIONS = `from pg_catalog.pg_opclass c join pg_catalog.pg_amproc p on p.amprocfamily = c.opcfamily
    join pg_catalog.pg_proc f on f.oid = p.amproc
   where f.prorettype = 'void'::regtype and f.pronargs = 1 and (c.opcmethod <> 403 or p.amprocnum = 5)`;

/**
 * The options of an index's keys, looked up only under methods that have some class with options: b-trees have none of
 * PostgreSQL's. Takes `kinds`, which says of which methods and classes.
 */
export const keyOptions = `case when ic.relam = any((select "optionMethods" from kinds)::oid[]) and i.indclass::oid[] && (select "optionClasses" from kinds)
              then array(select (a.attnum, a.attoptions)::text from pg_catalog.pg_attribute a where a.attrelid = i.indexrelid and a.attoptions is not null order by 1) end`;
