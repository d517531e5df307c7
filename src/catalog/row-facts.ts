import { chunk, groupBy, known } from '../collections.js';
import type { DatabaseError, Row, Session } from '../database/session.js';
import type { ReleaseRule } from '../desired-state/model.js';
import { quoteIdentifier } from '../sql/quote.js';
import { relativeSql, renderSql } from '../sql/template.js';
import { inBatches } from './batches.js';
import { type CopiedBatch, copyRows } from './copied-rows.js';
import type { Presence } from './fact-types.js';
import { HAS_HEIRS, relationNamed, WITH_HEIRS } from './named-schemas.js';
import type { PlainTables } from './plain-tables.js';

/** A table of one tenant. */
export interface TenantTable {
  readonly schema: string;
  readonly table: string;
}

/** A table that a batch reads. */
export interface SizedTable extends TenantTable {
  /** Whether its size proves that it holds no row. */
  readonly isEmpty: boolean;
  /** Its name as SQL. */
  readonly qualified: string;
  /** Locks that reading it takes: itself, what inherits from it, and their indexes. */
  readonly locks: number;
}

/**
 * Sizes and lock weights from the catalogs alone. Tables that are not there are left out. The size of a table that others inherit
 * from is its own, and proves nothing: SELECT gives their rows too, and what ALTER TABLE changes of it, it changes of them.
 */
export async function sizes(session: Session, tables: readonly TenantTable[]): Promise<readonly SizedTable[]> {
  const all: SizedTable[] = [];
  for (const part of chunk(tables, 10_000)) {
    const rows = await session.query<Row & { schema: string; table: string; isEmpty: boolean; locks: number }>(
      `select w.s "schema", w.t "table", k.locks::int4 locks, not h.heirs and coalesce(pg_catalog.pg_relation_size(c.oid) = 0, false) "isEmpty"
         from unnest($1::text[], $2::text[]) w(s, t) cross join ${relationNamed('w.s', 'w.t')}
        cross join lateral (select ${HAS_HEIRS} heirs) h
        cross join lateral (
          select case when h.heirs
            then (${WITH_HEIRS} select count(*) + sum((select count(*) from pg_catalog.pg_index i where i.indrelid = heir.oid)) from heir)
            else 1 + (select count(*) from pg_catalog.pg_index i where i.indrelid = c.oid) end locks) k`,
      [part.map((of) => of.schema), part.map((of) => of.table)],
    );
    for (const row of rows)
      all.push({ ...row, qualified: `${quoteIdentifier(row.schema)}.${quoteIdentifier(row.table)}` });
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
  await readEach<{ some: boolean }>(
    session,
    await filled(session, tables),
    (of) => `exists (select from ${of.qualified}${condition(where, of)}) "some"`,
    (of, { some }) => found.set(of.schema, some ? 'some' : 'none'),
    (of) => found.set(of.schema, 'unknown'),
  );
  return found;
}

/** Rows of a table that are to be counted, no further than `limit`. */
export interface Counted extends TenantTable {
  readonly where: string | null;
  readonly limit: number;
}

/**
 * How many rows match, counted no further than each limit: never a whole COUNT(*). Left out where it could not be read. Many of
 * them go in one statement, of one table too: each member of a family is counted by its own predicate.
 */
export async function readCounts<C extends Counted>(
  session: Session,
  counted: readonly C[],
): Promise<ReadonlyMap<C, number>> {
  const found = new Map<C, number>(counted.map((one) => [one, 0]));
  const byTable = groupBy(counted, ({ schema, table }) => JSON.stringify([schema, table]));
  const tables = await filled(
    session,
    [...byTable.values()].flatMap(([first]) => first ?? []),
  );
  await readEach<{ n: number }, SizedTable & { readonly one: C }>(
    session,
    tables.flatMap((of) => (byTable.get(JSON.stringify([of.schema, of.table])) ?? []).map((one) => ({ ...of, one }))),
    (of) => `count(*)::int4 n from (select from ${of.qualified}${condition(of.one.where, of)} limit ${of.one.limit}) r`,
    ({ one }, { n }) => found.set(one, n),
    ({ one }) => found.delete(one),
  );
  return found;
}

/**
 * The application's stamp in each schema; null where there is no table, or no row. Left out where it could not be read: a
 * tenant whose stamp is hidden may be at any release.
 * @param plain see {@link copyRows}
 */
export async function readReleases(
  session: Session,
  schemas: readonly string[],
  { table, column }: Pick<ReleaseRule, 'table' | 'column'>,
  plain?: PlainTables,
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
  const left = await copyRows(session, schemas, { table, columns: [column] }, take, plain);
  const there = left.map((schema) => ({ schema, table }));
  await readEach<{ stamp: string | null }>(
    session,
    await filled(session, there),
    (of) => `${quoteIdentifier(column)}::text stamp from ${of.qualified}`,
    (of, { stamp }) => note(of.schema, stamp),
    (of, { code }) => {
      // Gone since its size was read: no stamp.
      if (code !== '42P01' && code !== '3F000') found.delete(of.schema);
    },
  );
  return found;
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
  const failed = new Map<string, RowsUnread>();
  const unread = (table: string, why: string, lacksColumn: boolean): RowsUnread => ({
    message: `rows of ${table} could not be read: ${why}`,
    lacksColumn,
  });
  const names = Object.keys(values);
  const expressions = Object.values(values).map((expression) => `(${expression})::text`);
  const there = await sizes(session, tables);
  const rows = new Map<string, Readonly<Record<string, string>>[]>(there.map((of) => [of.schema, []]));
  // Gone since the catalogs were read: to take it for an empty one would make an orphan of every member.
  for (const { schema, table } of tables)
    if (!rows.has(schema)) failed.set(schema, unread(table, 'the table is gone', false));
  await readEach<{ v: readonly (string | null)[] }>(
    session,
    there,
    (of) => `array[${expressions.join(', ')}] v from ${of.qualified}`,
    ({ schema }, { v }) => {
      // A row without a value for a name or predicate has no member.
      if (v.includes(null)) return;
      rows.get(schema)?.push(Object.fromEntries(names.map((name, position) => [name, v[position] ?? ''])));
    },
    ({ schema, table }, { code, message }) => {
      rows.delete(schema);
      failed.set(schema, unread(table, message, code === '42703'));
    },
  );
  return { rows, failed };
}

/** Those that may hold rows: a size of 0 proves that a table holds none. */
const filled = async (session: Session, tables: readonly TenantTable[]): Promise<readonly SizedTable[]> =>
  (await sizes(session, tables)).filter((of) => !of.isEmpty);

/**
 * One SELECT of each table, many of them in a statement.
 * @param what what comes after its SELECT
 * @param take is given each row
 */
async function readEach<T, S extends SizedTable = SizedTable>(
  session: Session,
  tables: readonly S[],
  what: (of: S) => string,
  take: (of: S, row: T) => void,
  failed: (of: S, error: DatabaseError) => void,
): Promise<void> {
  const read = async (batch: readonly S[]) => {
    const sql = batch.map((of, at) => `select ${at} "at", ${what(of)}`).join(' union all ');
    for (const row of await session.query<Row & T & { at: number }>(sql)) take(known(batch[row.at], 'a table'), row);
  };
  await inBatches(
    tables,
    (of) => of.locks,
    read,
    failed,
    (of) => of.qualified,
  );
}

function condition(where: string | null, of: TenantTable): string {
  return where === null ? '' : ` where ${renderSql(relativeSql(where), { schema: of.schema })}`;
}
