import { chunk } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import type { NameHolder } from './fact-types.js';

/** A name in a schema, both unquoted. `asTable`: a type of that name would be in the way as well. */
export interface WantedName {
  readonly schema: string;
  readonly name: string;
  readonly asTable: boolean;
}

/** Names that one statement looks up. */
const NAMES_PER_STATEMENT = 10_000;

/**
 * Who has these names, by schema and name; a name that is free is left out, and so is a schema that is not there. Catalogs
 * alone are read, and nothing is locked.
 */
export async function readNameHolders(
  session: Session,
  wanted: readonly WantedName[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, NameHolder>>> {
  const found = new Map<string, Map<string, NameHolder>>();
  for (const part of chunk(wanted, NAMES_PER_STATEMENT)) {
    const rows = await session.query<HolderRow>(
      HOLDERS,
      [part.map(({ schema }) => schema), part.map(({ name }) => name), part.map(({ asTable }) => asTable)],
      { kept: true },
    );
    for (const row of rows) {
      const holders = found.get(row.schema) ?? new Map<string, NameHolder>();
      found.set(row.schema, holders.set(row.name, holderOf(row)));
    }
  }
  return found;
}

function holderOf({ kind, table, constraint }: HolderRow): NameHolder {
  if (table !== null) {
    const what = constraint === null ? 'an index' : (CONSTRAINTS[constraint] ?? 'a constraint');
    return { kind: 'index', what: `${what} of table ${table}`, table, isConstraint: constraint !== null };
  }
  const what = TABLES[kind];
  return what === undefined ? { kind: 'other', what: OTHERS[kind] ?? 'another object' } : { kind: 'table', what };
}

/**
 * Each name by the index on names and schemas, of pg_class and of pg_type: in one join the server may go through what all
 * tenants of the fleet have of the name. A relation's row type goes with the relation. An array's type, and one that is no
 * more than announced, PostgreSQL moves out of the way itself.
 */
const HOLDERS = `
with wanted as materialized (
  select n.oid ns, n.nspname, w.name, w.as_table
    from unnest($1::name[], $2::name[], $3::bool[]) w("schema", name, as_table)
    join pg_catalog.pg_namespace n on n.nspname = w."schema")
select w.nspname::text "schema", w.name::text "name", c.relkind::text kind, i."table", k.contype "constraint"
  from wanted w
 cross join lateral (select c.oid, c.relkind from pg_catalog.pg_class c
                      where c.relname = w.name and c.relnamespace = w.ns offset 0) c
  left join lateral (select i.indrelid, t.relname::text "table"
                       from pg_catalog.pg_index i join pg_catalog.pg_class t on t.oid = i.indrelid
                      where i.indexrelid = c.oid offset 0) i on true
  left join lateral (select k.contype::text contype from pg_catalog.pg_constraint k
                      where k.conrelid = i.indrelid and k.conindid = c.oid and k.contype in ('p','u','x') limit 1) k on true
union all
select w.nspname::text, w.name::text, 'type ' || t.typtype::text, null, null
  from wanted w
 cross join lateral (select t.typtype from pg_catalog.pg_type t
                      where w.as_table and t.typname = w.name and t.typnamespace = w.ns and t.typrelid = 0 and t.typisdefined
                        and not exists (select from pg_catalog.pg_type e where e.oid = t.typelem and e.typarray = t.oid)
                     offset 0) t`;

const TABLES: Readonly<Record<string, string>> = {
  r: 'a table',
  p: 'a partitioned table',
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
};

const OTHERS: Readonly<Record<string, string>> = {
  S: 'a sequence',
  c: 'a composite type',
  'type b': 'a base type',
  'type d': 'a domain',
  'type e': 'an enum type',
  'type m': 'a multirange type',
  'type r': 'a range type',
};

const CONSTRAINTS: Readonly<Record<string, string>> = {
  p: 'the primary key',
  u: 'a unique constraint',
  x: 'an exclusion constraint',
};

/** `kind`: pg_class.relkind, or `type ` and pg_type.typtype. `table`, `constraint`: of an index. */
interface HolderRow extends Row {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly table: string | null;
  readonly constraint: string | null;
}
