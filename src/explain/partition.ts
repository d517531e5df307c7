import { readFamilyRows } from '../catalog/row-facts.js';
import { chunk } from '../collections.js';
import { DatabaseError, type Row, type Session } from '../database/session.js';
import type { IndexFamily } from '../desired-state/model.js';
import { join } from '../desired-state/reading.js';
import { type ExpectedMember, expectedMembers, MemberProblem } from '../diff/family-members.js';
import { columnsOf } from '../sql/evaluation.js';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.js';
import { relativeSql, renderSql } from '../sql/template.js';
import { TrueupError } from '../trueup-error.js';
import type { TenantProbe } from './context.js';
import type { RowCount } from './explanation.js';
import type { Relation } from './relation.js';

/** A part of a table. */
export interface ChosenPartition {
  /** Of a family: the member that serves it. */
  readonly member: ExpectedMember | null;
  /** By `set.value` or `partition.column`. */
  readonly values: Readonly<Record<string, string>>;
  readonly fromRows: readonly string[];
  readonly chosen: boolean;
  /** Its condition as SQL; null: the whole table. */
  readonly where: string | null;
  readonly rows: RowCount;
}

/** Blocks that a sample reads at most: 8 MB. */
const SAMPLE_BLOCKS = 1_000;
/** Groups of a sample that are looked at. */
const GROUPS = 20;
/** Conditions of members in one statement. */
const MEMBERS = 500;
/** Members that are counted one by one where no sample tells. */
const COUNTED = 50;

/**
 * The partition that the request names, else the largest by a sample of the table's blocks. Null: it holds no row.
 * @throws {TrueupError} USAGE for values that no partition has
 */
export async function choosePartition(
  session: Session,
  of: TenantProbe,
  relation: Relation,
  values: Readonly<Record<string, string>>,
): Promise<ChosenPartition | null> {
  return of.probe.serves.kind === 'family'
    ? memberPartition(session, of, relation, of.served as IndexFamily, values)
    : columnPartition(session, of, relation, values);
}

async function memberPartition(
  session: Session,
  of: TenantProbe,
  relation: Relation,
  family: IndexFamily,
  values: Readonly<Record<string, string>>,
): Promise<ChosenPartition | null> {
  const members = [...(await readMembers(session, of.schema, family)).values()];
  if (members.length === 0 && Object.keys(values).length === 0) return null;
  const asked = members.filter((member) =>
    Object.entries(values).every(([name, value]) => member.values[name] === value),
  );
  if (asked.length === 0) throw noSuchPartition(of, values);
  const fromLists = new Set(
    family.lists.flatMap((list) => Object.keys(list.entries[0] ?? {}).map((value) => `${list.name}.${value}`)),
  );
  const candidates = asked.map((member) => ({ member, where: rendered(member.where, of.schema) }));
  const sampled = await largestBySample(session, relation, family, candidates);
  const ranked = sampled === null ? candidates.slice(0, COUNTED) : [sampled];
  let best: ChosenPartition | null = null;
  for (const { member, where } of ranked) {
    const rows = await countRows(session, relation, where, of.exactRows);
    if (best !== null && rows.counted <= best.rows.counted) continue;
    const fromRows = Object.keys(member.values).filter((name) => !fromLists.has(name));
    best = { member, values: member.values, fromRows, chosen: Object.keys(values).length > 0, where, rows };
    if (rows.capped) break;
  }
  return best === null || best.rows.counted === 0 ? null : best;
}

const rendered = (where: string | null, schema: string): string | null =>
  where === null ? null : renderSql(relativeSql(where), { schema });

async function readMembers(session: Session, schema: string, family: IndexFamily) {
  const source = family.rows;
  try {
    if (source === null) return expectedMembers(family, []);
    const { rows, failed } = await readFamilyRows(session, [{ schema, table: source.table }], source.values);
    const why = failed.get(schema);
    if (why !== undefined)
      throw unreadable(schema, why, 'see that this role may read it, or name one that may: --role');
    return expectedMembers(family, rows.get(schema) ?? []);
  } catch (error) {
    if (!(error instanceof MemberProblem)) throw error;
    throw unreadable(schema, error.message, `see what differs: trueup plan --schema ${schema}`);
  }
}

const unreadable = (schema: string, message: string, remedy: string): TrueupError =>
  new TrueupError('TENANT_UNREADABLE', message, { where: `schema ${schema}`, remedy });

interface Candidate {
  readonly member: ExpectedMember;
  readonly where: string | null;
}

/** The candidate with most rows of a sample; null when none has any, or the sample cannot be grouped. */
async function largestBySample(
  session: Session,
  relation: Relation,
  family: IndexFamily,
  candidates: readonly Candidate[],
): Promise<Candidate | null> {
  const columns = family.where === null ? [] : await columnsOf(join(family.where, () => "'x'"));
  if (columns.length === 0) return null;
  let best: { readonly candidate: Candidate; readonly rows: number } | null = null;
  for (const part of chunk(candidates, MEMBERS)) {
    const conditions = part.map(({ where }, at) => `(${at}, (${where ?? 'true'}))`);
    const sql = `with s as materialized (${groupsSql(relation, columns)})
select p.at, pg_catalog.sum(s.n)::int4 n from s cross join lateral (values ${conditions.join(', ')}) p(at, fits) where p.fits group by 1`;
    for (const row of await unlessUngroupable(session.query<Row & { at: number; n: number }>(sql))) {
      const candidate = part[row.at];
      if (candidate !== undefined && row.n > (best?.rows ?? 0)) best = { candidate, rows: row.n };
    }
  }
  return best?.candidate ?? null;
}

/** The commonest combinations of values in a sample. The seed makes the same sample each time. */
function groupsSql(relation: Relation, columns: readonly string[]): string {
  const percent = Math.min(100, (100 * SAMPLE_BLOCKS) / Math.max(1, relation.pages));
  const list = columns.map(quoteIdentifier).join(', ');
  return `select ${list}, pg_catalog.count(*) n from ${tableName(relation)} tablesample system (${percent}) repeatable (1) group by ${list} order by n desc limit ${GROUPS}`;
}

const tableName = ({ schema, name }: Relation): string => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;

/** A type without equality cannot be grouped by. */
async function unlessUngroupable<T>(query: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await query;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '42883') throw ungroupable(error);
    throw error;
  }
}

const ungroupable = (cause: unknown): TrueupError =>
  new TrueupError('TENANT_UNREADABLE', 'the columns of the partition have a type that cannot be grouped by', {
    cause,
    remedy: 'name the partition: --value',
  });

async function columnPartition(
  session: Session,
  of: TenantProbe,
  relation: Relation,
  values: Readonly<Record<string, string>>,
): Promise<ChosenPartition | null> {
  const { partition: columns } = of.probe;
  const names = columns.map((column) => `partition.${column}`);
  const given = columns.flatMap((column) => {
    const value = values[`partition.${column}`];
    return value === undefined ? [] : [equals(column, value)];
  });
  const found = columns.length === 0 ? [] : await commonest(session, relation, columns, given);
  if (found === null) {
    if (given.length > 0) throw noSuchPartition(of, values);
    return null;
  }
  const conditions = columns.map((column, at) => equals(column, found[at] ?? ''));
  const where = conditions.length === 0 ? null : conditions.join(' AND ');
  const rows = await countRows(session, relation, where, of.exactRows);
  if (rows.counted === 0) return null;
  const chosen = given.length > 0;
  const own = Object.fromEntries(names.map((name, at) => [name, found[at] ?? '']));
  return { member: null, values: own, fromRows: names, chosen, where, rows };
}

const equals = (column: string, value: string): string => `${quoteIdentifier(column)} = ${quoteLiteral(value)}`;

/** The commonest values of these columns: in a sample, and where the sample has none of what was asked for, in the table. */
async function commonest(
  session: Session,
  relation: Relation,
  columns: readonly string[],
  conditions: readonly string[],
): Promise<readonly string[] | null> {
  const filled = columns.map((column) => `${quoteIdentifier(column)} is not null`);
  const where = [...filled, ...conditions].join(' and ');
  const texts = `array[${columns.map((column) => `${quoteIdentifier(column)}::text`).join(', ')}]`;
  const first = (sql: string) => unlessUngroupable(session.query<Row & { v: readonly string[] }>(sql));
  const [sampled] = await first(
    `with s as materialized (${groupsSql(relation, columns)}) select ${texts} v from s where ${where} order by n desc limit 1`,
  );
  if (sampled !== undefined) return sampled.v;
  const [any] = await first(`select ${texts} v from ${tableName(relation)} where ${where} limit 1`);
  return any?.v ?? null;
}

/** Counts rows no further than one more than the limit. */
export async function countRows(
  session: Session,
  relation: Relation,
  where: string | null,
  limit: number,
): Promise<RowCount> {
  const condition = where === null ? '' : ` where ${where}`;
  const [row] = await session.query<Row & { n: number }>(
    `select pg_catalog.count(*)::int4 n from (select from ${tableName(relation)}${condition} limit ${limit + 1}) r`,
  );
  const counted = row?.n ?? 0;
  return { counted, capped: counted > limit };
}

/** Values of one row of the partition that has all of them; null when there is none. */
export async function readRowValues(
  session: Session,
  relation: Relation,
  where: string | null,
  expressions: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>> | null> {
  const names = Object.keys(expressions);
  if (names.length === 0) return {};
  const values = Object.values(expressions);
  const conditions = [...(where === null ? [] : [`(${where})`]), ...values.map((value) => `(${value}) is not null`)];
  const [row] = await session.query<Row & { v: readonly (string | null)[] }>(
    `select array[${values.map((value) => `(${value})::text`).join(', ')}] v from ${tableName(relation)} where ${conditions.join(' and ')} limit 1`,
  );
  return row === undefined ? null : Object.fromEntries(names.map((name, at) => [`row.${name}`, row.v[at] ?? '']));
}

const noSuchPartition = (of: TenantProbe, values: Readonly<Record<string, string>>): TrueupError =>
  new TrueupError('USAGE', `schema "${of.schema}" has no partition with these values`, {
    where: Object.keys(values)
      .map((name) => `--value ${name}`)
      .join(' '),
    remedy: 'check the values; without --value the largest partition is probed',
  });
