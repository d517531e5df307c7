import type { Row, Session } from '../database/session.js';

/** A type by its own name, without modifiers and array brackets. */
export interface TypeName {
  readonly schema: string;
  readonly name: string;
}

/** Which of these types, by their place, the database does not have. */
export async function readUnknownTypes(session: Session, types: readonly TypeName[]): Promise<readonly number[]> {
  if (types.length === 0) return [];
  const rows = await session.query<Row & { at: number }>(
    `select w.at::int4 at from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) with ordinality w(schema, type, at)
      where not exists (
        select from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
         where n.nspname = w.schema and t.typname = w.type)`,
    [types.map(({ schema }) => schema), types.map(({ name }) => name)],
  );
  return rows.map(({ at }) => at - 1);
}

/**
 * Between which of these pairs, by their place, no foreign key can be: the server has an operator class for the referenced
 * type, and neither an equality of it with the referencing type nor an implicit cast to it. An enum is compared with itself
 * alone. Of types that it knows more of (arrays, domains over domains and enums) it is not told.
 */
export async function readIncomparable(
  session: Session,
  pairs: readonly { readonly from: TypeName; readonly to: TypeName }[],
): Promise<readonly number[]> {
  if (pairs.length === 0) return [];
  const rows = await session.query<Row & { at: number }>(INCOMPARABLE_SQL, [
    pairs.map(({ from }) => from.schema),
    pairs.map(({ from }) => from.name),
    pairs.map(({ to }) => to.schema),
    pairs.map(({ to }) => to.name),
  ]);
  return rows.map(({ at }) => at - 1);
}

/** The type of a name, or what a domain of that name is over. */
const baseType = (schema: string, name: string): string =>
  `lateral (
     select b.oid, b.typtype from pg_catalog.pg_type t
       join pg_catalog.pg_namespace n on n.oid = t.typnamespace
       join pg_catalog.pg_type b on b.oid = case t.typtype when 'd' then t.typbasetype else t.oid end
      where n.nspname = ${schema} and t.typname = ${name} and b.typtype in ('b', 'e') and b.typcategory <> 'A')`;

const DEFAULT_CLASS = `pg_catalog.pg_opclass o join pg_catalog.pg_am m on m.oid = o.opcmethod and m.amname = 'btree' and o.opcdefault`;

/** The default b-tree operator class for a type `r`: its own, else those of types that it is stored like (varchar: text). */
const ITS_CLASSES = `
  select o.opcintype, o.opcfamily from ${DEFAULT_CLASS}
   where o.opcintype = r.oid
      or exists (select from pg_catalog.pg_cast c
                  where c.castsource = r.oid and c.casttarget = o.opcintype and c.castcontext = 'i' and c.castmethod = 'b')
         and not exists (select from ${DEFAULT_CLASS} where o.opcintype = r.oid)`;

/** As PostgreSQL looks for the operators of a foreign key (ATAddForeignKeyConstraint in its tablecmds.c). */
const INCOMPARABLE_SQL = `
select w.at::int4 at
  from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]))
       with ordinality w(from_schema, from_name, to_schema, to_name, at)
 cross join ${baseType('w.from_schema', 'w.from_name')} f
 cross join ${baseType('w.to_schema', 'w.to_name')} r
 where case r.typtype when 'e' then f.oid <> r.oid else exists (${ITS_CLASSES})
   and not exists (
     select from (${ITS_CLASSES}) k
      where k.opcintype = f.oid
         or exists (select from pg_catalog.pg_amop a
                     where a.amopfamily = k.opcfamily and a.amopstrategy = 3 and a.amoplefttype = k.opcintype and a.amoprighttype = f.oid)
         or exists (select from pg_catalog.pg_cast c
                     where c.castsource = f.oid and c.casttarget = k.opcintype and c.castcontext = 'i')) end`;
