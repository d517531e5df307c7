import { chunk, groupBy } from '../collections.js';
import { isLost } from '../database/database-errors.js';
import { DatabaseError, type Row, type Session } from '../database/session.js';
import { quoteIdentifier } from '../sql/quote.js';
import { namedSchemas, relationOf } from './named-schemas.js';

/** Rows of one table of several tenants, as texts that the columns' types read back. */
export interface CopiedBatch {
  readonly schemas: readonly string[];
  /** Of the columns, in order. */
  readonly types: readonly string[];
  readonly rows: readonly CopiedRow[];
}

/** A row: of which of the schemas, and its columns' texts. */
export interface CopiedRow {
  readonly at: number;
  readonly values: readonly (string | null)[];
}

/** Tables that one message copies; each is locked until its end, and nothing beside it: no index. */
const TABLES_PER_MESSAGE = 250;

/** Fewer tenants are as soon read by one statement, which needs no look at their tables first. */
const WORTH_COPYING = 200;

/** Pages of a table, by its statistics, and characters of its rows: what is larger is evaluated where it stands. */
const MOST_PAGES = 4;
const MOST_CHARACTERS = 32_768;

/** The types of a table's columns, by tenant, where COPY says of it all that SELECT would. */
export type PlainTables = Map<string, readonly string[]>;

/**
 * Copies columns of one table of many tenants, batch by batch, where that is a third of what a SELECT takes: a table of a
 * few rows that has columns of PostgreSQL's own types and nothing beside its own rows. Gives the schemas of all others,
 * which are to be read as they are.
 * @param take gives the schemas that need not be read otherwise; may throw what the server says: none of its batch then
 * @param known tables that were looked at before, and are not again; takes those that are
 * @throws {DatabaseError} when the connection is lost
 */
export async function copyRows(
  session: Session,
  schemas: readonly string[],
  { table, columns }: { readonly table: string; readonly columns: readonly string[] },
  take: (batch: CopiedBatch) => Promise<readonly string[]>,
  known: PlainTables = new Map(),
): Promise<readonly string[]> {
  if (session.copyOut === undefined || schemas.length < WORTH_COPYING || columns.length === 0) return schemas;
  const open = schemas.filter((schema) => !known.has(schema));
  const found = open.length === 0 ? [] : await session.query<PlainRow>(PLAIN_SQL, [open, table, columns]);
  for (const { names, types } of found) for (const schema of names) known.set(schema, types);
  const left = new Set(schemas);
  const plain = schemas.filter((schema) => known.has(schema));
  for (const alike of groupBy(plain, (schema) => JSON.stringify(known.get(schema))).values())
    for (const part of chunk(alike, TABLES_PER_MESSAGE))
      try {
        const types = known.get(part[0] ?? '') ?? [];
        const batch = await copyPart(session, part, { table, columns, types });
        for (const schema of await take(batch)) left.delete(schema);
      } catch (error) {
        // Whoever reads these tables otherwise finds out for which of them, and why.
        if (!(error instanceof DatabaseError) || isLost(error)) throw error;
      }
  return [...left];
}

async function copyPart(
  session: Session,
  schemas: readonly string[],
  {
    table,
    columns,
    types,
  }: { readonly table: string; readonly columns: readonly string[]; readonly types: readonly string[] },
): Promise<CopiedBatch> {
  const list = columns.map(quoteIdentifier).join(', ');
  const statements = schemas.map(
    (schema) => `COPY ${quoteIdentifier(schema)}.${quoteIdentifier(table)} (${list}) TO STDOUT`,
  );
  const rows: CopiedRow[] = [];
  const characters = new Map<number, number>();
  const isLarge = (at: number) => (characters.get(at) ?? 0) > MOST_CHARACTERS;
  await session.copyOut?.(statements, (at, values) => {
    // A NULL counts as well: a million of them fill the memory like anything else.
    characters.set(
      at,
      values.reduce((sum, value) => sum + (value?.length ?? 0) + 1, characters.get(at) ?? 0),
    );
    if (!isLarge(at)) rows.push({ at, values });
  });
  const small = schemas.flatMap((_, at) => (isLarge(at) ? [] : [at]));
  const places = new Map(small.map((at, place) => [at, place]));
  return {
    schemas: small.flatMap((at) => schemas[at] ?? []),
    types,
    rows: rows.flatMap(({ at, values }) => {
      const place = places.get(at);
      return place === undefined ? [] : [{ at: place, values }];
    }),
  };
}

interface PlainRow extends Row {
  readonly names: readonly string[];
  readonly types: readonly string[];
}

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
