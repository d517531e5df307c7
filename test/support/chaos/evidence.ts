import type { TestDatabase } from '../test-database.js';

type Queries = Pick<TestDatabase, 'query'>;

/** A table's rows in one number, over the named columns; order does not matter. */
export interface TableRows {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: string;
  readonly sum: string;
}

/** Every table of a schema with its columns. */
export const tablesOf = (test: Queries, schema: string): Promise<{ table: string; columns: readonly string[] }[]> =>
  test.query(
    `select c.relname::text "table", array_agg(a.attname::text order by a.attname) columns
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace = $1::regnamespace and c.relkind = 'r' group by c.relname order by 1`,
    [schema],
  );

/** Counts and sums the rows of tables, over the columns that are named for each. */
export async function rowsOf(
  test: Queries,
  schema: string,
  tables: readonly { readonly table: string; readonly columns: readonly string[] }[],
): Promise<readonly TableRows[]> {
  if (tables.length === 0) return [];
  // Embeddings as the bytes that they are: printing them would take most of the time.
  const value = (column: string) =>
    column === 'embedding' ? 'md5(public.vector_send("embedding"))' : `"${column}"::text`;
  const sql = tables.map(
    ({ table, columns }) =>
      `select '${table}' "table", count(*)::text "rows",
              coalesce(sum(('x' || left(md5(row(${columns.map(value).join(', ')})::text), 15))::bit(60)::bigint), 0)::text "sum" from "${schema}"."${table}"`,
  );
  const rows = await test.query<{ table: string; rows: string; sum: string }>(`${sql.join(' union all ')} order by 1`);
  const columnsOf = new Map(tables.map(({ table, columns }) => [table, columns]));
  return rows.map((row) => ({ ...row, columns: columnsOf.get(row.table) ?? [] }));
}

/** What an interrupted run may leave: indexes that are not valid, and objects under trueup's temporary names. */
export const leftovers = async (test: Queries): Promise<readonly string[]> =>
  (
    await test.query<{ line: string }>(`
    select format('INVALID index %s', i.indexrelid::regclass) line from pg_index i
     where not (i.indisvalid and i.indisready and i.indislive)
    union all select format('relation %s.%s', relnamespace::regnamespace, relname) from pg_class where relname like 'trueup\\_%'
    union all select format('constraint %s on %s', conname, conrelid::regclass) from pg_constraint where conname like 'trueup\\_%'
    union all select format('column %s.%s', attrelid::regclass, attname) from pg_attribute where attname like 'trueup\\_%' and not attisdropped
    order by 1`)
  ).map(({ line }) => line);

/** Everything that stands in the catalogs of a schema, in one number that any DDL on it changes. */
export const catalogMark = async (test: Queries, schema: string): Promise<string> =>
  (
    await test.query<{ mark: string }>(
      `select md5(string_agg(t.line, e'\\n' order by t.line)) mark from (
         select format('%s %s %s', c.oid, c.relname, c.relfilenode) line from pg_class c where c.relnamespace = $1::regnamespace
         union all select format('%s %s %s', k.oid, k.conname, k.convalidated) from pg_constraint k where k.connamespace = $1::regnamespace
         union all select format('%s %s %s %s', a.attrelid, a.attnum, a.attname, a.attnotnull) from pg_attribute a
           join pg_class c on c.oid = a.attrelid where c.relnamespace = $1::regnamespace
         union all select format('%s %s', i.indexrelid, i.indisvalid) from pg_index i
           join pg_class c on c.oid = i.indrelid where c.relnamespace = $1::regnamespace) t`,
      [schema],
    )
  ).map(({ mark }) => mark)[0] ?? '';
