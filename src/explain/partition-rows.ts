import type { Row, Session } from '../database/session.js';
import type { RowCount } from './explanation.js';
import { type Relation, tableName } from './relation.js';

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
