import type { Row, Session } from '../database/session.js';
import { namedSchemas, relationOf } from './named-schemas.js';

/**
 * What stands on one column of one table in each schema, and would break if the column were dropped or retyped, in words:
 * `materialized view x`, `generated column y`, `publication z` by its row filter or its list of columns. Schemas where nothing
 * does are left out. No part of a shape: to look it up for every column of a fleet, of which nearly none is to change, would
 * take as long as its indexes.
 * @param column null for what stands on a materialized view, whichever of its columns it names, and would break if it were dropped
 */
export async function readColumnUsers(
  session: Session,
  schemas: readonly string[],
  table: string,
  column: string | null,
): Promise<ReadonlyMap<string, readonly string[]>> {
  return column === null
    ? read(session, OF_RELATION, [schemas, table])
    : read(session, OF_COLUMN, [schemas, table, column]);
}

/** What stands on the sequence that one column of one table in each schema owns, besides the column's own default, in words. */
export const readSequenceUsers = (
  session: Session,
  schemas: readonly string[],
  table: string,
  column: string,
): Promise<ReadonlyMap<string, readonly string[]>> => read(session, OF_SEQUENCE, [schemas, table, column]);

async function read(
  session: Session,
  sql: string,
  parameters: readonly unknown[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await session.query<Row & { schema: string; users: readonly string[] }>(sql, parameters);
  return new Map(rows.map(({ schema, users }) => [schema, users]));
}

/** @param of joins pg_depend `p` to the relation `c` */
const usersSql = (of: string): string => `
with ${namedSchemas('$1')}
select ns.nspname::text "schema",
       pg_catalog.array_agg(distinct case p.classid when 'pg_catalog.pg_rewrite'::regclass then
                 case v.relkind when 'm' then 'materialized view ' else 'view ' end || v.relname
               when 'pg_catalog.pg_attrdef'::regclass then
                 case p.refobjsubid when 0 then 'the default of column ' || ga.attname || ' of ' || gc.relname else 'generated column ' || ga.attname end
               when 'pg_catalog.pg_trigger'::regclass then 'trigger ' || tg.tgname
               when 'pg_catalog.pg_proc'::regclass then case f.prokind when 'p' then 'procedure ' else 'function ' end || f.proname
               when 'pg_catalog.pg_publication_rel'::regclass then 'publication ' || pub.pubname
               when 'pg_catalog.pg_class'::regclass then 'column ' || ra.attname || ' of ' || rc.relname
               else 'policy ' || po.polname end) users
  from ns ${relationOf('c.relname = $2::name')}
  ${of}
  left join pg_catalog.pg_rewrite w on p.classid = 'pg_catalog.pg_rewrite'::regclass and w.oid = p.objid
  left join pg_catalog.pg_class v on v.oid = w.ev_class
  left join pg_catalog.pg_attrdef gd on p.classid = 'pg_catalog.pg_attrdef'::regclass and gd.oid = p.objid
  left join pg_catalog.pg_attribute ga on ga.attrelid = gd.adrelid and ga.attnum = gd.adnum
  left join pg_catalog.pg_class gc on gc.oid = gd.adrelid
  left join pg_catalog.pg_trigger tg on p.classid = 'pg_catalog.pg_trigger'::regclass and tg.oid = p.objid
  left join pg_catalog.pg_proc f on p.classid = 'pg_catalog.pg_proc'::regclass and f.oid = p.objid
  left join pg_catalog.pg_publication_rel pr on p.classid = 'pg_catalog.pg_publication_rel'::regclass and pr.oid = p.objid
  left join pg_catalog.pg_publication pub on pub.oid = pr.prpubid
  left join pg_catalog.pg_class rc on p.refclassid = 'pg_catalog.pg_type'::regclass and p.classid = 'pg_catalog.pg_class'::regclass
    and rc.oid = p.objid and rc.relkind not in ('v', 'm')
  left join pg_catalog.pg_attribute ra on ra.attrelid = rc.oid and ra.attnum = p.objsubid
  left join pg_catalog.pg_policy po on p.classid = 'pg_catalog.pg_policy'::regclass and po.oid = p.objid
 where w.oid is not null or tg.oid is not null or po.oid is not null or f.oid is not null or pub.oid is not null or ra.attrelid is not null
    or (gd.oid is not null and gd.adnum <> p.refobjsubid)
 group by 1`;

const COLUMN = 'join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = $3::name and a.attnum > 0';

/** Dependencies on the sequence of column `a`, but for its own default's. */
const ON_SEQUENCE = `
    select p.* from pg_catalog.pg_depend s
      join pg_catalog.pg_class q on q.oid = s.objid and q.relkind = 'S'
      join pg_catalog.pg_depend p on p.refclassid = 'pg_catalog.pg_class'::regclass and p.refobjid = q.oid and p.deptype = 'n'
     where s.refclassid = 'pg_catalog.pg_class'::regclass and s.refobjid = c.oid and s.refobjsubid = a.attnum
       and s.classid = 'pg_catalog.pg_class'::regclass
       and not exists (select from pg_catalog.pg_attrdef own
                        where p.classid = 'pg_catalog.pg_attrdef'::regclass and own.oid = p.objid
                          and own.adrelid = c.oid and own.adnum = a.attnum)`;

const OF_SEQUENCE = usersSql(`${COLUMN} join lateral (${ON_SEQUENCE}) p on true`);

/** On the sequence that the column owns too. */
const OF_COLUMN = usersSql(
  `${COLUMN}
  join lateral (
    select p.* from pg_catalog.pg_depend p
     where p.refclassid = 'pg_catalog.pg_class'::regclass and p.refobjid = c.oid and p.refobjsubid = a.attnum
    union all${ON_SEQUENCE}) p on true`,
);

/** On its type too, its rows' and of arrays of them; but for the rule that is its own query. */
const OF_RELATION = usersSql(
  `join pg_catalog.pg_type t on t.oid = c.reltype
  join pg_catalog.pg_depend p on (p.refclassid = 'pg_catalog.pg_class'::regclass and p.refobjid = c.oid
      or p.refclassid = 'pg_catalog.pg_type'::regclass and p.refobjid in (t.oid, t.typarray))
    and p.objid not in (select o.oid from pg_catalog.pg_rewrite o where o.ev_class = c.oid)`,
);
