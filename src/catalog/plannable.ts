import type { Row, Session } from '../database/session.js';
import type { NameResolver } from '../sql/names.js';
import type { ForeignName } from '../sql/object-names.js';
import { unsafeOperators } from './callable.js';

/**
 * Which of what expressions name outside pg_catalog the server may plan for a plan: what declared extensions bring, and types of
 * the application's own that run nothing of it. Whose operator it is, and what a type is, no resolver knows: asked, where any
 * is named. Null for a type that is not there.
 */
export async function readPlannable(
  session: Session,
  named: readonly ForeignName[],
  names: NameResolver,
): Promise<(name: ForeignName) => boolean | null> {
  const brought = ({ kind, schema, name }: ForeignName) => names.extensionOf(kind, schema, name) !== null;
  const operators = named.filter((one) => one.kind === 'operator' && brought(one));
  const unsafe = new Set(await unsafeOperators(session, operators));
  const own = await readOwnTypes(
    session,
    named.filter((one) => one.kind === 'type' && !brought(one)),
  );
  return (one) => {
    if (one.kind === 'operator') return brought(one) && !unsafe.has(`${one.schema}.${one.name}`);
    if (brought(one)) return true;
    if (one.kind !== 'type') return false;
    const type = own.get(JSON.stringify([one.schema, one.name])) ?? null;
    return type === null ? null : type === 'plain' || (type === 'checked' && !one.isArray);
  };
}

/** `checked`: a domain whose checks may call anything. */
type OwnType = 'plain' | 'checked' | 'other';

/** What they are; left out: there is none. */
async function readOwnTypes(session: Session, types: readonly ForeignName[]): Promise<ReadonlyMap<string, OwnType>> {
  if (types.length === 0) return new Map();
  const rows = await session.query<Row & { schema: string; name: string; kind: OwnType }>(
    `select n.nspname::text "schema", t.typname::text "name",
            case when ${PLAIN} then case when ${CHECKED} then 'checked' else 'plain' end else 'other' end kind
       from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w("schema", "name")
       join pg_catalog.pg_namespace n on n.nspname = w."schema"
       join pg_catalog.pg_type t on t.typnamespace = n.oid and t.typname = w."name"
       left join pg_catalog.pg_type b on b.oid = t.typbasetype`,
    [types.map((type) => type.schema), types.map((type) => type.name)],
  );
  return new Map(rows.map(({ schema, name, kind }) => [JSON.stringify([schema, name]), kind]));
}

/**
 * Without casts by functions: enums, composite types of what the server came with, and domains over that, over enums and over
 * types of extensions. Making a value of a domain from a constant checks nothing while the statement is planned; making an array
 * of them from one does, by whatever the checks call.
 */
const PLAIN = `not exists (select from pg_catalog.pg_cast c where t.oid in (c.castsource, c.casttarget) or b.typtype = 'e' and b.oid in (c.castsource, c.casttarget))
  and (t.typtype = 'e' or t.typtype = 'c' and not exists (
         select from pg_catalog.pg_attribute a join pg_catalog.pg_type f on f.oid = a.atttypid
          where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped and f.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace)
    or t.typtype = 'd' and b.typtype <> 'd' and (b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace or b.typtype = 'e'
      or exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.objid = b.oid and d.deptype = 'e')))`;

/** A domain with a check that calls more than immutable functions of pg_catalog, by itself or for an operator, or makes a domain. */
const CHECKED = `exists (
  select from pg_catalog.pg_constraint k
   where k.contypid = t.oid and k.contype = 'c' and (k.conbin::text ~ '[{](?:COERCETODOMAIN|ROWCOMPARE) ' or exists (
     select from pg_catalog.regexp_matches(k.conbin::text, ':(?:op)?funcid ([0-9]+)', 'g') f
      where not exists (select from pg_catalog.pg_proc p where p.oid = f[1]::pg_catalog.oid
                           and p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace and p.provolatile = 'i'))))`;

/** Which of some tenants are there, and may be looked into by their types' names. */
export async function readUsable(session: Session, schemas: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await session.query<Row & { schema: string }>(
    `select n.nspname::text "schema" from pg_catalog.pg_namespace n
      where n.nspname = any($1::name[]) and pg_catalog.has_schema_privilege(n.oid, 'usage')`,
    [schemas],
  );
  return new Set(rows.map(({ schema }) => schema));
}

/** Which of these schemas are there, and closed to the session's role. */
export async function readClosed(
  session: Session,
  schemas: readonly string[],
): Promise<readonly { readonly schema: string; readonly role: string }[]> {
  if (schemas.length === 0) return [];
  return session.query<Row & { schema: string; role: string }>(
    `select n.nspname::text "schema", current_user::text "role" from pg_catalog.pg_namespace n
      where n.nspname = any($1::name[]) and not pg_catalog.has_schema_privilege(n.oid, 'usage') order by 1`,
    [schemas],
  );
}
