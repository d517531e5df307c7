import { METHOD_EXTENSION_SQL } from '../catalog/detail-queries.js';
import type { Row, Session } from '../database/session.js';
import type { ExplainedIndex } from './explanation.js';

/** Every index of a table, as far as all are read. */
export interface ListedIndex extends Row {
  readonly oid: string;
  readonly name: string;
  readonly method: string;
  readonly valid: boolean;
  readonly partial: boolean;
  /** Key columns of one without predicate; a key that is an expression is not among them. */
  readonly columns: readonly string[] | null;
  readonly expressions: boolean;
}

/** The indexes of a table by its oid, from the catalogs alone. */
export const listIndexes = (session: Session, table: string): Promise<readonly ListedIndex[]> =>
  session.query<ListedIndex>(
    `select c.oid::text oid, c.relname::text "name", am.amname::text "method", i.indisvalid and i.indisready and i.indislive "valid", i.indpred is not null "partial",
            i.indexprs is not null expressions,
            case when i.indpred is null then array(
              select a.attname::text from pg_catalog.pg_attribute a
               where a.attrelid = i.indrelid and a.attnum = any((i.indkey::int2[])[0:i.indnkeyatts - 1])) end "columns"
       from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_am am on am.oid = c.relam
      where i.indrelid = $1::pg_catalog.oid order by c.relname`,
    [table],
  );

/** What is read of the few indexes that a report names. */
export interface DetailedIndex extends ExplainedIndex {
  /** As the server prints it; null for none. */
  readonly predicate: string | null;
}

/** Sizes, predicates and owners of methods, by oid. */
export async function detailIndexes(
  session: Session,
  indexes: readonly ListedIndex[],
): Promise<ReadonlyMap<string, DetailedIndex>> {
  if (indexes.length === 0) return new Map();
  const rows = await session.query<
    Row & { oid: string; extension: string | null; bytes: string | null; predicate: string | null }
  >(
    `select c.oid::text oid, ${METHOD_EXTENSION_SQL} "extension", pg_catalog.pg_relation_size(c.oid)::text bytes,
            pg_catalog.pg_get_expr(i.indpred, i.indrelid) predicate
       from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_am am on am.oid = c.relam
      where c.oid = any($1::pg_catalog.oid[])`,
    [indexes.map((index) => index.oid)],
  );
  const byOid = new Map(rows.map((row) => [row.oid, row]));
  return new Map(
    indexes.map((index) => {
      const row = byOid.get(index.oid);
      const { oid, name, method, valid, partial } = index;
      const detailed = { extension: row?.extension ?? null, bytes: Number(row?.bytes ?? 0) };
      return [oid, { oid, name, method, valid, partial, ...detailed, predicate: row?.predicate ?? null }];
    }),
  );
}

/** An index without what only a comparison needs. */
export const shownIndex = ({ predicate: _, ...index }: DetailedIndex): ExplainedIndex => index;
