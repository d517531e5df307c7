import { relationNamed } from '../catalog/named-schemas.js';
import type { Row, Session } from '../database/session.js';
import { shellQuoted } from '../shell-quoted.js';
import { quoteIdentifier } from '../sql/quote.js';
import { TrueupError } from '../trueup-error.js';

/** A table that a probe reads, as the catalog knows it. */
export interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly oid: string;
  /** Of its main part, in blocks. */
  readonly pages: number;
  /** Whether it was ever vacuumed or analyzed: else the planner guesses. */
  readonly analyzed: boolean;
}

/** Its name as SQL. */
export const tableName = ({ schema, name }: Pick<Relation, 'schema' | 'name'>): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;

/**
 * Looks up tables by name. A view is refused: to plan it would run what its query calls.
 * @throws {TrueupError} TENANT_UNREADABLE
 */
export async function readRelations(
  session: Session,
  schema: string,
  tables: readonly string[],
): Promise<ReadonlyMap<string, Relation>> {
  const rows = await session.query<
    Row & { name: string; oid: string; kind: string; pages: string | null; analyzed: boolean }
  >(
    `select c.relname::text "name", c.oid::text oid, c.relkind::text kind, c.reltuples >= 0 and c.relpages > 0 analyzed,
            (pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8)::text pages
       from pg_catalog.unnest($2::text[]) w(t) cross join ${relationNamed('$1', 'w.t')}`,
    [schema, [...new Set(tables)]],
  );
  const found = new Map<string, Relation>();
  for (const table of tables) {
    const row = rows.find((one) => one.name === table);
    if (row === undefined || !['r', 'p', 'm'].includes(row.kind)) {
      throw new TrueupError(
        'TENANT_UNREADABLE',
        row === undefined ? `schema "${schema}" has no table ${table}` : `${table} of schema "${schema}" is no table`,
        { where: `schema ${schema}`, remedy: `see what differs: trueup plan --schema ${shellQuoted(schema)}` },
      );
    }
    const { oid, analyzed } = row;
    found.set(table, { schema, name: table, oid, analyzed, pages: Number(row.pages ?? 0) });
  }
  return found;
}
