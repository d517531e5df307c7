import type { Row, Session } from '../database/session.js';
import type { BareType } from '../sql/bare-type.js';

/** A key of an index over a column: by which operator class of which method. */
export interface ClassedKey {
  readonly method: string;
  /** Null: the type's default. */
  readonly opclass: { readonly schema: string; readonly name: string } | null;
  readonly type: BareType;
}

/** Why no index can be over a key: no such class, one for other types, or none that is the type's default. */
export type ClassFault = 'missing' | 'misfit' | 'no default';

/** What is wrong with each of these keys, by its place. Of types and methods that are not there it is not told. */
export async function readClassFaults(
  session: Session,
  keys: readonly ClassedKey[],
): Promise<readonly (readonly [at: number, fault: ClassFault])[]> {
  if (keys.length === 0) return [];
  const rows = await session.query<Row & { at: number; fault: ClassFault }>(FAULTS_SQL, [
    keys.map(({ method }) => method),
    keys.map(({ opclass }) => opclass?.schema ?? null),
    keys.map(({ opclass }) => opclass?.name ?? null),
    keys.map(({ type }) => type.schema),
    keys.map(({ type }) => type.name),
    keys.map(({ type }) => type.array),
  ]);
  return rows.map(({ at, fault }) => [at - 1, fault]);
}

/** A class accepts its own type, what is stored alike (IsBinaryCoercible in parse_coerce.c), and of a kind of types all. */
const ACCEPTS = `(i.oid = k.oid
  or i.typtype = 'p' and case i.typname when 'anyarray' then k.typcategory = 'A' when 'anyenum' then k.typtype = 'e'
       when 'anyrange' then k.typtype = 'r' when 'anymultirange' then k.typtype = 'm' when 'record' then k.typtype = 'c' else true end
  or exists (select from pg_catalog.pg_cast c where c.castsource = k.oid and c.casttarget = i.oid and c.castcontext = 'i' and c.castmethod = 'b'))`;

const FAULTS_SQL = `
select w.at::int4 "at", case when w.class is null then 'no default' when exists (
         select from pg_catalog.pg_opclass o where o.opcmethod = m.oid and o.opcname = w.class and o.opcnamespace = s.oid) then 'misfit' else 'missing' end fault
  from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                  pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::text[]), pg_catalog.unnest($6::bool[]))
       with ordinality w(method, class_schema, "class", type_schema, type, is_array, at)
  join pg_catalog.pg_am m on m.amname = w.method
  join pg_catalog.pg_namespace n on n.nspname = w.type_schema
  join pg_catalog.pg_type t on t.typnamespace = n.oid and t.typname = w.type
  join pg_catalog.pg_type k on k.oid = case when w.is_array then t.typarray when t.typtype = 'd' then t.typbasetype else t.oid end and k.typtype <> 'd'
  left join pg_catalog.pg_namespace s on s.nspname = w.class_schema
 where not exists (
   select from pg_catalog.pg_opclass o join pg_catalog.pg_type i on i.oid = o.opcintype
    where o.opcmethod = m.oid and ${ACCEPTS}
      and case when w.class is null then o.opcdefault else o.opcname = w.class and o.opcnamespace = s.oid end)
 order by 1`.trim();
