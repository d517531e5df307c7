import { chunk, groupBy } from '../collections.js';
import { isLost } from '../database/database-errors.js';
import { DatabaseError, type Session } from '../database/session.js';
import { quoteIdentifier } from '../sql/quote.js';
import { type CopiedColumns, findPlain, type PlainTables } from './plain-tables.js';

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
export const TABLES_PER_MESSAGE = 250;

/** Fewer tenants are as soon read by one statement, which needs no look at their tables first. */
const WORTH_COPYING = 200;

/** Characters of a table's rows: what is larger is evaluated where it stands. */
const MOST_CHARACTERS = 32_768;

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
  { table, columns }: CopiedColumns,
  take: (batch: CopiedBatch) => Promise<readonly string[]>,
  known: PlainTables = new Map(),
): Promise<readonly string[]> {
  if (session.copyOut === undefined || schemas.length < WORTH_COPYING || columns.length === 0) return schemas;
  await findPlain(session, schemas, { table, columns }, known);
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
  { table, columns, types }: CopiedColumns & { readonly types: readonly string[] },
): Promise<CopiedBatch> {
  const list = columns.map(quoteIdentifier).join(', ');
  const statements = schemas.map(
    (schema) => `COPY ${quoteIdentifier(schema)}.${quoteIdentifier(table)} (${list}) TO STDOUT`,
  );
  const rows: CopiedRow[] = [];
  const large = new Set<number>();
  // Of the table whose rows come: one table's after another's.
  let current = -1;
  let characters = 0;
  await session.copyOut?.(statements, (at, values) => {
    if (at !== current) characters = 0;
    current = at;
    // A NULL counts as well: a million of them fill the memory like anything else.
    for (const value of values) characters += (value?.length ?? 0) + 1;
    if (characters > MOST_CHARACTERS) large.add(at);
    else rows.push({ at, values });
  });
  if (large.size === 0) return { schemas, types, rows };
  const small = [...schemas.keys()].filter((at) => !large.has(at));
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
