import { chunk } from '../collections.js';
import { DatabaseError, type Row, type Session } from '../database/session.js';
import { quoteIdentifier } from '../sql/quote.js';
import { TENANT_SCHEMA_SQL } from '../sql/template.js';
import { isLockTimeout } from './locked-tenants.js';

/** Columns for the server to analyse expressions over: of no table, so that no lock and no privilege is needed. */
export type JudgeColumns = readonly {
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
}[];

/** Two expressions; both are cast to a type before they are compared, where one is given. */
export interface ExpressionPair {
  readonly castTo: string | null;
  readonly desired: string;
  readonly actual: string;
}

/** Null: the server refused to say. */
export type Verdict = boolean | null;

/** Pairs over the same columns. */
export interface PairsOver {
  readonly columns: JudgeColumns;
  readonly pairs: readonly ExpressionPair[];
}

interface ExplainRow extends Row {
  readonly 'QUERY PLAN': readonly { readonly Plan: { readonly Output?: readonly string[] } }[];
}

/** A SELECT gives at most 1,664 columns (MaxTupleAttributeNumber in htup_details.h), and a pair takes two. */
const PAIRS_AT_ONCE = 500;

/**
 * Asks the server about pairs that it may plan, in one round trip; where it refuses anything of that, one by one. Pairs over the
 * same columns share a statement.
 */
export async function verdictsOf(
  session: Session,
  judged: readonly PairsOver[],
): Promise<ReadonlyMap<ExpressionPair, Verdict>> {
  const groups = judged.flatMap(({ columns, pairs }) =>
    chunk(pairs, PAIRS_AT_ONCE).map((part) => ({ columns, pairs: part })),
  );
  const told = (outputs: readonly (readonly Verdict[])[]) =>
    new Map(groups.flatMap(({ pairs }, of) => pairs.map((pair, at) => [pair, outputs[of]?.[at] ?? null] as const)));
  if (groups.length > 1)
    try {
      const results = await session.script(groups.map(({ columns, pairs }) => explanation(columns, pairs)));
      return told(groups.map(({ pairs }, of) => verdictsIn((results[of] ?? []) as readonly ExplainRow[], pairs)));
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  const outputs: (readonly Verdict[])[] = [];
  for (const { columns, pairs } of groups) outputs.push(await judgeTogether(session, columns, pairs));
  return told(outputs);
}

/** Whether the server printed both of a pair, and both alike. */
function verdictsIn([row]: readonly ExplainRow[], pairs: readonly ExpressionPair[]): readonly Verdict[] {
  const output = row?.['QUERY PLAN'][0]?.Plan.Output ?? [];
  return pairs.map((_, at) => output[at * 2] !== undefined && output[at * 2] === output[at * 2 + 1]);
}

/** Whether the server refused what it was asked, and could be asked again. */
const isRefusal = (error: unknown): error is DatabaseError =>
  error instanceof DatabaseError && !/^(?:08|57P|53)/u.test(error.code) && !isLockTimeout(error);

/** One statement for all; where the server refuses it, one each: the refused one is not what the server holds. */
async function judgeTogether(
  session: Session,
  columns: JudgeColumns,
  pairs: readonly ExpressionPair[],
): Promise<readonly Verdict[]> {
  try {
    return verdictsIn(await session.query<ExplainRow>(explanation(columns, pairs)), pairs);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (pairs.length === 1) return [null];
    const middle = Math.ceil(pairs.length / 2);
    return [
      ...(await judgeTogether(session, columns, pairs.slice(0, middle))),
      ...(await judgeTogether(session, columns, pairs.slice(middle))),
    ];
  }
}

function explanation(columns: JudgeColumns, pairs: readonly ExpressionPair[]): string {
  const outputs = pairs.flatMap((pair) => {
    const cast = pair.castTo === null ? '' : `::${pair.castTo}`;
    return [`(${pair.desired})${cast}`, `(${pair.actual})${cast}`];
  });
  const definitions = columns
    .filter(({ collation }) => !(collation ?? '').includes(TENANT_SCHEMA_SQL))
    .map(
      ({ name, type, collation }) =>
        `${quoteIdentifier(name)} ${type}${collation === null ? '' : ` COLLATE ${collation}`}`,
    );
  const from =
    definitions.length === 0 ? '' : ` FROM pg_catalog.jsonb_to_recordset('[]') AS t(${definitions.join(', ')})`;
  return `EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT ${outputs.join(', ')}${from}`;
}
