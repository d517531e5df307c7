import type { Row, Session } from '../database/session.js';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.js';
import { type ChosenPartition, noSuchPartition } from './chosen-partition.js';
import type { TenantProbe } from './context.js';
import { countRows } from './partition-rows.js';
import { type Relation, tableName } from './relation.js';
import { groupsSql, unlessUngroupable } from './sample.js';

/** The partition by columns that the values name, else the largest. Null: the table holds none. */
export async function columnPartition(
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
  const named = columns.map((column) => values[`partition.${column}`] ?? null);
  const found = named.includes(null) ? await commonest(session, relation, columns, given) : named;
  if (found === null) {
    if (given.length > 0) throw noSuchPartition(of, values);
    return null;
  }
  const conditions = columns.map((column, at) => equals(column, found[at] ?? ''));
  const where = conditions.length === 0 ? null : conditions.join(' AND ');
  const rows = await countRows(session, relation, where, of.exactRows);
  const chosen = given.length > 0;
  if (rows.counted === 0 && chosen) throw noSuchPartition(of, values);
  if (rows.counted === 0) return null;
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
