import type { Row, Session } from '../database/session.js';
import { namedSchemas, relationOf } from './named-schemas.js';

/** Columns that are copied, of the tables of one name. */
export interface CopiedColumns {
  readonly table: string;
  readonly columns: readonly string[];
}

/** The types of a table's columns, by tenant, where COPY says of it all that SELECT would. */
export type PlainTables = Map<string, readonly string[]>;

/**
 * Looks which tables of some tenants are plain, and adds those to `known`. What is known already is not looked at again.
 * Of catalogs alone.
 */
export async function findPlain(
  session: Session,
  schemas: readonly string[],
  { table, columns }: CopiedColumns,
  known: PlainTables,
): Promise<void> {
  const open = schemas.filter((schema) => !known.has(schema));
  if (open.length === 0) return;
  const found = await session.query<PlainRow>(PLAIN_SQL, [open, table, columns]);
  for (const { names, types } of found) for (const schema of names) known.set(schema, types);
}

interface PlainRow extends Row {
  readonly names: readonly string[];
  readonly types: readonly string[];
}

/** Pages of a table, by its statistics: what is larger is evaluated where it stands. */
const MOST_PAGES = 4;

/** Object identifiers below it are PostgreSQL's own (FirstNormalObjectId). */
const FIRST_NORMAL = 16384;

/**
 * Tenants by the types of the columns of their tables of this name, where COPY says all that SELECT would: of a table
 * without children and row security, of a column that is not generated (COPY refuses those), in the default collation.
 */
const PLAIN_SQL = `
with ${namedSchemas('$1')}
select pg_catalog.array_agg(t.nspname::text) "names",
       (select pg_catalog.array_agg(pg_catalog.format_type(o.type, o.modifier) order by o.n) from unnest(t.types, t.modifiers) with ordinality o(type, modifier, n)) "types"
  from (
  select ns.nspname, a.types, a.modifiers from ns
   ${relationOf(`c.relname = $2::name and c.relkind = 'r' and not c.relhassubclass and not c.relrowsecurity and c.relpages <= ${MOST_PAGES}`)}
   cross join lateral (
    select pg_catalog.array_agg(a.atttypid order by pg_catalog.array_position($3::name[], a.attname)) types,
           pg_catalog.array_agg(a.atttypmod order by pg_catalog.array_position($3::name[], a.attname)) modifiers
      from pg_catalog.pg_attribute a
     where a.attrelid = c.oid and a.attname = any($3::name[]) and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
       and a.atttypid < ${FIRST_NORMAL} and a.attcollation in (0, 100) offset 0) a
   where pg_catalog.cardinality(a.types) = pg_catalog.cardinality($3::name[])) t
 group by t.types, t.modifiers`;
