import { chunk } from '../collections.js';
import type { Row, Session } from '../database/session.js';
import type { ReleaseRule } from '../desired-state/model.js';
import { quoteIdentifier } from '../sql/quote.js';
import { relativeSql, renderSql } from '../sql/template.js';
import { inBatches } from './batches.js';
import { type CopiedBatch, copyRows } from './copied-rows.js';
import { namedSchemas, relationNamed, relationOf } from './named-schemas.js';
import type { PlainTables } from './plain-tables.js';
import type { IndexUsage, Presence } from './presence.js';

/** A table of one tenant. */
export interface TenantTable {
  readonly schema: string;
  readonly table: string;
}

/** A table that a batch reads. */
export interface SizedTable extends TenantTable {
  readonly bytes: bigint;
  /** Its name as SQL. */
  readonly qualified: string;
  /** Locks that reading it takes: itself and its indexes. */
  readonly locks: number;
}

const qualified = (of: TenantTable): string => `${quoteIdentifier(of.schema)}.${quoteIdentifier(of.table)}`;

/** Sizes and lock weights from the catalogs alone. Tables that are not there are left out. */
export async function sizes(session: Session, tables: readonly TenantTable[]): Promise<readonly SizedTable[]> {
  const all: SizedTable[] = [];
  for (const part of chunk(tables, 10_000)) {
    const rows = await session.query<Row & { schema: string; table: string; bytes: string | null; locks: number }>(
      `select w.s "schema", w.t "table", pg_catalog.pg_relation_size(c.oid)::text bytes,
              (1 + (select count(*) from pg_catalog.pg_index i where i.indrelid = c.oid))::int4 locks
         from unnest($1::text[], $2::text[]) w(s, t) cross join ${relationNamed('w.s', 'w.t')}`,
      [part.map((of) => of.schema), part.map((of) => of.table)],
    );
    for (const row of rows)
      all.push({
        schema: row.schema,
        table: row.table,
        bytes: BigInt(row.bytes ?? '1'),
        locks: row.locks,
        qualified: qualified(row),
      });
  }
  return all;
}

/**
 * Does each table hold a row (of `where`)? A size of 0 proves that it does not, without reading it. `unknown` where it
 * could not be read. A table that is not there holds none.
 */
export async function readPresence(
  session: Session,
  tables: readonly TenantTable[],
  where: string | null,
): Promise<ReadonlyMap<string, Presence>> {
  const found = new Map<string, Presence>(tables.map((of) => [of.schema, 'none']));
  const filled = (await sizes(session, tables)).filter((of) => of.bytes > 0n);
  await inBatches(
    filled,
    (of) => of.locks,
    async (batch) => {
      const sql = batch.map(
        (of, at) => `select ${at} "at", exists (select from ${qualified(of)}${condition(where, of)}) "some"`,
      );
      for (const row of await session.query<Row & { at: number; some: boolean }>(sql.join(' union all '))) {
        const of = batch[row.at];
        if (of !== undefined) found.set(of.schema, row.some ? 'some' : 'none');
      }
    },
    (of) => found.set(of.schema, 'unknown'),
  );
  return found;
}

/** How many rows match, counted no further than `limit`: never a whole COUNT(*). Left out where it could not be read. */
export async function readCounts(
  session: Session,
  tables: readonly TenantTable[],
  where: string | null,
  limit: number,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>(tables.map((of) => [of.schema, 0]));
  const filled = (await sizes(session, tables)).filter((of) => of.bytes > 0n);
  await inBatches(
    filled,
    (of) => of.locks,
    async (batch) => {
      const sql = batch.map(
        (of, at) =>
          `select ${at} "at", count(*)::int4 n from (select from ${qualified(of)}${condition(where, of)} limit ${limit}) r`,
      );
      for (const row of await session.query<Row & { at: number; n: number }>(sql.join(' union all '))) {
        const of = batch[row.at];
        if (of !== undefined) found.set(of.schema, row.n);
      }
    },
    (of) => found.delete(of.schema),
  );
  return found;
}

/**
 * The application's stamp in each schema; null where there is no table, or no row. Left out where it could not be read: a
 * tenant whose stamp is hidden may be at any release.
 * @param known see {@link copyRows}
 */
export async function readReleases(
  session: Session,
  schemas: readonly string[],
  { table, column }: Pick<ReleaseRule, 'table' | 'column'>,
  known?: PlainTables,
): Promise<ReadonlyMap<string, string | null>> {
  const found = new Map<string, string | null>(schemas.map((schema) => [schema, null]));
  const note = (schema: string, stamp: string | null) => {
    if (stamp === null) return;
    const before = found.get(schema);
    found.set(schema, before == null ? stamp : [before, stamp].sort().join(', '));
  };
  const take = async (batch: CopiedBatch) => {
    // What COPY writes of other types need not be what they are as text.
    if (!batch.types.every((type) => /^(?:text|character varying)/u.test(type))) return [];
    for (const { at, values } of batch.rows) note(batch.schemas[at] ?? '', values[0] ?? null);
    return batch.schemas;
  };
  const left = await copyRows(session, schemas, { table, columns: [column] }, take, known);
  const there = await sizes(
    session,
    left.map((schema) => ({ schema, table })),
  );
  await inBatches(
    there.filter((of) => of.bytes > 0n),
    (of) => of.locks,
    async (batch) => {
      const sql = batch.map(
        (of, at) => `select ${at} "at", ${quoteIdentifier(column)}::text stamp from ${qualified(of)}`,
      );
      for (const row of await session.query<Row & { at: number; stamp: string | null }>(sql.join(' union all '))) {
        const of = batch[row.at];
        if (of !== undefined) note(of.schema, row.stamp);
      }
    },
    (of, { code }) => {
      // Gone since its size was read: no stamp.
      if (code !== '42P01' && code !== '3F000') found.delete(of.schema);
    },
  );
  return found;
}

/** Scans since the statistics were reset and bytes of one index in each schema, where it is there. */
export async function readUsage(
  session: Session,
  schemas: readonly string[],
  index: string,
): Promise<ReadonlyMap<string, IndexUsage>> {
  const rows = await session.query<Row & { schema: string; scans: string; bytes: string | null }>(
    `with ${namedSchemas('$2')}
     select ns.nspname::text "schema", coalesce(pg_catalog.pg_stat_get_numscans(c.oid), 0)::text scans, pg_catalog.pg_relation_size(c.oid)::text bytes
       from ns ${relationOf(`c.relname = $1::name and c.relkind in ('i', 'I')`)}`,
    [index, schemas],
  );
  return new Map(rows.map((row) => [row.schema, { scans: Number(row.scans), bytes: Number(row.bytes ?? 0) }]));
}

/** Why rows of a tenant could not be read. */
export interface RowsUnread {
  readonly message: string;
  /** Whether for want of a column, which this run may be about to add. */
  readonly lacksColumn: boolean;
}

/** The rows that a family is generated from, by schema; or why they could not be read. */
export async function readFamilyRows(
  session: Session,
  tables: readonly TenantTable[],
  values: Readonly<Record<string, string>>,
): Promise<{
  readonly rows: ReadonlyMap<string, readonly Readonly<Record<string, string>>[]>;
  readonly failed: ReadonlyMap<string, RowsUnread>;
}> {
  const rows = new Map<string, Readonly<Record<string, string>>[]>();
  const failed = new Map<string, RowsUnread>();
  const unread = (table: string, why: string, lacksColumn: boolean): RowsUnread => ({
    message: `rows of ${table} could not be read: ${why}`,
    lacksColumn,
  });
  const names = Object.keys(values);
  const expressions = Object.values(values).map((expression) => `(${expression})::text`);
  const there = await sizes(session, tables);
  const found = new Set(there.map((of) => of.schema));
  // Gone since the catalogs were read: to take it for an empty one would make an orphan of every member.
  for (const { schema, table } of tables)
    if (!found.has(schema)) failed.set(schema, unread(table, 'the table is gone', false));
  await inBatches(
    there,
    (of) => of.locks,
    async (batch) => {
      const sql = batch.map((of, at) => `select ${at} "at", array[${expressions.join(', ')}] v from ${qualified(of)}`);
      const result = await session.query<Row & { at: number; v: readonly (string | null)[] }>(sql.join(' union all '));
      const read = new Map<string, Readonly<Record<string, string>>[]>(batch.map((of) => [of.schema, []]));
      for (const row of result) {
        const of = batch[row.at];
        // A row without a value for a name or predicate has no member.
        if (of === undefined || row.v.includes(null)) continue;
        read.get(of.schema)?.push(Object.fromEntries(names.map((name, position) => [name, row.v[position] ?? ''])));
      }
      for (const [schema, its] of read) rows.set(schema, its);
    },
    (of, { code, message }) => failed.set(of.schema, unread(of.table, message, code === '42703')),
  );
  return { rows, failed };
}

function condition(where: string | null, of: TenantTable): string {
  return where === null ? '' : ` where ${renderSql(relativeSql(where), { schema: of.schema })}`;
}
