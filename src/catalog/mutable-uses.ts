import type { Row, Session } from '../database/session.js';
import type { TypedUse } from '../sql/typed-uses.js';

/**
 * Which of these uses, by their place, are surely of nothing immutable: of all that the server may take for a name, or, where
 * some fit the types exactly, of all those. A function in SQL may be replaced by its body, and is not told of; one with the name
 * of a type may be a cast.
 */
export async function readMutable(session: Session, uses: readonly TypedUse[]): Promise<readonly number[]> {
  if (uses.length === 0) return [];
  const rows = await session.query<Row & { at: number }>(MUTABLE_SQL, [
    JSON.stringify(uses.map((use, at) => ({ ...use, at }))),
  ]);
  return rows.map(({ at }) => at);
}

const OWN = `'pg_catalog'::pg_catalog.regnamespace`;
const UNKNOWN = `'pg_catalog.unknown'::pg_catalog.regtype`;
const MUTABLE = `p.provolatile <> 'i' and p.prolang <> (select l.oid from pg_catalog.pg_language l where l.lanname = 'sql')`;
const EXACT = (types: string): string =>
  `coalesce((select pg_catalog.bool_and(coalesce(x.a = ${UNKNOWN} or x.a = x.t, false))
     from rows from (pg_catalog.unnest(w.args), pg_catalog.unnest(${types})) x(a, t)), true)`;

const MUTABLE_SQL = `
with w as materialized (
  select w.at, w.kind, w."name", array(
           select t.oid from pg_catalog.unnest(w.types) with ordinality x(n, o)
             left join pg_catalog.pg_type t on t.typnamespace = ${OWN} and t.typname = x.n order by x.o) args
    from pg_catalog.jsonb_to_recordset($1::pg_catalog.jsonb) w(at int4, kind text, "name" text, types text[]))
, meant as (
  select w.at, ${MUTABLE} mutable, ${EXACT('p.proargtypes::oid[]')} exact
    from w join pg_catalog.pg_proc p on p.proname = w."name" and p.pronamespace = ${OWN}
   where w.kind = 'function'
     and (pg_catalog.cardinality(w.args) between p.pronargs - p.pronargdefaults and p.pronargs or p.provariadic <> 0)
     and (pg_catalog.cardinality(w.args) > 1 or (w.args[1] <> ${UNKNOWN} and ${EXACT('p.proargtypes::oid[]')})
       or not exists (select from pg_catalog.pg_type t where t.typname = w."name" and t.typnamespace = ${OWN}))
  union all
  select w.at, ${MUTABLE}, ${EXACT('pg_catalog.array_remove(array[o.oprleft, o.oprright], 0::oid)')}
    from w join pg_catalog.pg_operator o on o.oprname = w."name" and o.oprnamespace = ${OWN}
    join pg_catalog.pg_proc p on p.oid = o.oprcode
   where w.kind = 'operator' and (o.oprleft = 0) = (pg_catalog.cardinality(w.args) = 1)
  union all
  select w.at, case when c.castmethod = 'b' then false when c.castmethod = 'f' then ${MUTABLE}
                    else 'i' <> any(array[i.provolatile, o.provolatile]) end, true
    from w join pg_catalog.pg_type f on f.oid = w.args[1] and f.oid <> ${UNKNOWN}
    join pg_catalog.pg_type t on t.typnamespace = ${OWN} and t.typname = w."name" and t.oid <> f.oid
    join pg_catalog.pg_proc o on o.oid = f.typoutput join pg_catalog.pg_proc i on i.oid = t.typinput
    left join pg_catalog.pg_cast c on c.castsource = f.oid and c.casttarget = t.oid
    left join pg_catalog.pg_proc p on p.oid = c.castfunc
   where w.kind = 'cast'
  union all
  select w.at, true, true from w where w.kind = 'value')
select at from meant group by at
having case when pg_catalog.bool_or(exact) then pg_catalog.bool_and(mutable) filter (where exact) else pg_catalog.bool_and(mutable) end
 order by 1`.trim();
