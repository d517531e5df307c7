import { DatabaseError, type Row, type Session } from '../database/session.js';
import { calledFunctions } from '../sql/fragments.js';
import type { NameResolver } from '../sql/names.js';
import { quoteIdentifier } from '../sql/quote.js';
import { relativeSql, renderSql, TENANT_SCHEMA_SQL } from '../sql/template.js';

/** Two expressions over a table's columns. */
export interface ExpressionPair {
  readonly columns: readonly { readonly name: string; readonly type: string; readonly collation: string | null }[];
  readonly castTo: string | null;
  readonly desired: string;
  readonly actual: string;
}

interface ExplainRow extends Row {
  readonly 'QUERY PLAN': readonly { readonly Plan: { readonly Output?: readonly string[] } }[];
}

/**
 * The server judges whether two expressions mean the same: after the same analysis and constant folding it prints both
 * alike. Nothing is written, read or locked. Planning runs immutable functions, so only expressions that call pg_catalog
 * and declared extensions are put to it; anything else counts as different.
 */
export async function judgeExpressions(session: Session, pair: ExpressionPair, names: NameResolver): Promise<boolean> {
  if (`${pair.desired}${pair.actual}`.includes(TENANT_SCHEMA_SQL)) return false;
  for (const expression of [pair.desired, pair.actual]) if (!(await mayBePlanned(expression, names))) return false;
  const cast = (expression: string) => (pair.castTo === null ? `(${expression})` : `(${expression})::${pair.castTo}`);
  const columns = pair.columns
    .filter((column) => !column.type.includes(TENANT_SCHEMA_SQL) && !(column.collation ?? '').includes(TENANT_SCHEMA_SQL))
    .map(({ name, type, collation }) => `${quoteIdentifier(name)} ${type}${collation === null ? '' : ` COLLATE ${collation}`}`);
  try {
    const [row] = await session.query<ExplainRow>(
      `EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT ${cast(pair.desired)}, ${cast(pair.actual)} ` +
        `FROM pg_catalog.jsonb_to_recordset('[]') AS t(${columns.join(', ')})`,
    );
    const [desired, actual] = row?.['QUERY PLAN'][0]?.Plan.Output ?? [];
    return desired !== undefined && desired === actual;
  } catch (error) {
    // An expression that the server cannot analyse over these columns is not the one that it holds.
    if (error instanceof DatabaseError && !/^(?:08|57P|53)/u.test(error.code)) return false;
    throw error;
  }
}

async function mayBePlanned(expression: string, names: NameResolver): Promise<boolean> {
  const called = await calledFunctions(expression);
  return called.every(
    ({ schema, name }) => schema === null || schema === 'pg_catalog' || names.extensionOf('function', schema, name) !== null,
  );
}

/**
 * Is a materialized view's query the declared one? The plans of both are compared, with all columns by place and by name.
 * It locks what the view reads for the length of a statement: asked of one representative a shape, outside transactions.
 * Null when it cannot be told.
 */
export async function judgeView(
  session: Session,
  view: { readonly schema: string; readonly name: string; readonly oid: string; readonly columns: readonly string[] },
  query: string,
): Promise<boolean | null> {
  try {
    const [row] = await session.query<Row & { def: string | null }>(`select pg_catalog.pg_get_viewdef($1::oid) def`, [view.oid]);
    if (row?.def == null) return null;
    const desired = renderSql(relativeSql(query), { schema: view.schema });
    const [actualPlan, desiredPlan] = [await planOf(session, row.def, view.columns), await planOf(session, desired, view.columns)];
    return actualPlan === null ? null : actualPlan === desiredPlan;
  } catch (error) {
    if (error instanceof DatabaseError && !error.code.startsWith('08')) return null;
    throw error;
  }
}

async function planOf(session: Session, query: string, columns: readonly string[]): Promise<string | null> {
  const body = query.trim().replace(/;$/u, '');
  const byName = columns.map((column) => `q.${quoteIdentifier(column)}`);
  try {
    const [row] = await session.query<ExplainRow>(
      `EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT ${['q.*', ...byName].join(', ')} FROM (${body}) q`,
    );
    return JSON.stringify(row?.['QUERY PLAN'] ?? null);
  } catch (error) {
    // A column that the declared query does not have: another query.
    if (error instanceof DatabaseError && error.code === '42703') return null;
    throw error;
  }
}
