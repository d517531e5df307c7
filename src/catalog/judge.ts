import { chunk } from '../collections.js';
import { DatabaseError, type Row, type Session } from '../database/session.js';
import type { NameResolver } from '../sql/names.js';
import { type ForeignName, foreignNames } from '../sql/object-names.js';
import { quoteIdentifier } from '../sql/quote.js';
import { relativeSql, renderSql, TENANT_SCHEMA_SQL } from '../sql/template.js';
import { TrueupError } from '../trueup-error.js';
import { isLockTimeout } from './locked-tenants.js';
import { readClosed, readPlannable } from './plannable.js';

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

interface ExplainRow extends Row {
  readonly 'QUERY PLAN': readonly { readonly Plan: { readonly Output?: readonly string[] } }[];
}

/**
 * The server judges whether expressions mean the same: after the same analysis and constant folding it prints both alike.
 * Nothing is written, read or locked. Planning runs immutable functions, so only expressions that call pg_catalog and
 * declared extensions are put to it; anything else counts as different. Pairs over the same columns share a statement.
 */
export async function judgeExpressions(
  session: Session,
  columns: JudgeColumns,
  pairs: readonly ExpressionPair[],
  names: NameResolver,
): Promise<readonly boolean[]> {
  const [verdicts = []] = await judgeAll(session, [{ columns, pairs }], names);
  return verdicts.map((verdict) => verdict === true);
}

/** A SELECT gives at most 1,664 columns (MaxTupleAttributeNumber in htup_details.h), and a pair takes two. */
const PAIRS_AT_ONCE = 500;

type Verdict = boolean | null;

/** Pairs over the same columns. */
export interface JudgedTogether {
  readonly columns: JudgeColumns;
  readonly pairs: readonly ExpressionPair[];
  /** A tenant by whose own types they are judged; without it, what names the tenant's schema is not. */
  readonly schema?: string | undefined;
}

/**
 * The same for several sets of columns, in one round trip; one by one where the server refuses anything of it. Null is what it
 * refuses, and what names a type that is not there: by another tenant's types it may be judged.
 */
export async function judgeAll(
  session: Session,
  groups: readonly JudgedTogether[],
  names: NameResolver,
): Promise<readonly (readonly Verdict[])[]> {
  const own = groups.map(inSchema);
  const named = await Promise.all(own.map(namesIn));
  const mayPlan = await readPlannable(
    session,
    named.flatMap(({ all }) => all),
    names,
  );
  const isPlannable = (name: ForeignName) => mayPlan(name) === true;
  const judged = own.map(({ columns, pairs }, of) => ({
    columns: columns.filter(({ type }) => !isTenants(type) && (named[of]?.columns.get(type) ?? []).every(isPlannable)),
    pairs: pairs.filter((pair) => !isTenants(textOf(pair)) && (named[of]?.pairs.get(pair) ?? []).every(isPlannable)),
  }));
  const verdicts = await verdictsOf(
    session,
    judged.flatMap(({ columns, pairs }) => chunk(pairs, PAIRS_AT_ONCE).map((part) => ({ columns, pairs: part }))),
  );
  for (const [of, { pairs }] of judged.entries())
    if (pairs.some((pair) => verdicts.get(pair) === null)) await refuseClosed(session, own[of], named[of]?.pairs);
  const unjudged = (of: number, pair: ExpressionPair): Verdict =>
    (named[of]?.pairs.get(pair) ?? []).some((one) => mayPlan(one) === null) ? null : false;
  return own.map(({ pairs }, of) =>
    pairs.map((pair) => (verdicts.has(pair) ? (verdicts.get(pair) ?? null) : unjudged(of, pair))),
  );
}

/**
 * Where the role may not look into a schema that all tenants share, the server judges nothing of the types there: that is no
 * drift, and no other tenant would help.
 * @throws {TrueupError} PRIVILEGE, with what to grant.
 */
async function refuseClosed(
  session: Session,
  group: JudgedTogether | undefined,
  pairs: ReadonlyMap<ExpressionPair, readonly ForeignName[]> | undefined,
): Promise<void> {
  const types = (group?.columns ?? []).map(({ type }) => (isTenants(type) ? [] : foreignNames('type', type)));
  const all = [...(await Promise.all(types)), ...(pairs?.values() ?? [])].flat();
  const shared = new Set(all.map(({ schema }) => schema).filter((schema) => schema !== group?.schema));
  const [closed] = await readClosed(session, [...shared]);
  if (closed === undefined) return;
  const { schema, role } = closed;
  throw new TrueupError(
    'PRIVILEGE',
    `role ${role} may not look into schema ${schema}: what expressions mean over its types cannot be told`,
    {
      remedy: `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(role)}`,
    },
  );
}

/** Whether it depends on a tenant's own types what a pair means. */
export const isByTenant = (columns: JudgeColumns, pair: ExpressionPair): boolean =>
  isTenants(textOf(pair)) || columns.some(({ type }) => isTenants(type));

const isTenants = (text: string): boolean => text.includes(TENANT_SCHEMA_SQL);
const textOf = ({ desired, actual, castTo }: ExpressionPair): string => `${desired}${actual}${castTo ?? ''}`;

/** What is relative to a tenant, of that tenant. */
function inSchema(group: JudgedTogether): JudgedTogether {
  const { schema, columns, pairs } = group;
  if (schema === undefined) return group;
  const its = (text: string) => renderSql(relativeSql(text), { schema });
  const itsOrNull = (text: string | null) => (text === null ? null : its(text));
  return {
    schema,
    columns: columns.map(({ name, type, collation }) => ({ name, type: its(type), collation: itsOrNull(collation) })),
    pairs: pairs.map(({ castTo, desired, actual }) => ({
      castTo: itsOrNull(castTo),
      desired: its(desired),
      actual: its(actual),
    })),
  };
}

/** What the pairs name outside pg_catalog, and the columns' types in the tenant's schema, by each of them and in all. */
async function namesIn(group: JudgedTogether) {
  const columns = new Map<string, readonly ForeignName[]>();
  const pairs = new Map<ExpressionPair, readonly ForeignName[]>();
  for (const { type } of group.columns) {
    if (!type.includes('.')) continue;
    const named = await foreignNames('type', type);
    columns.set(
      type,
      named.filter((one) => one.schema === group.schema),
    );
  }
  for (const pair of group.pairs)
    pairs.set(pair, [
      ...(await foreignNames('expression', pair.desired)),
      ...(await foreignNames('expression', pair.actual)),
      ...(pair.castTo === null ? [] : await foreignNames('type', pair.castTo)),
    ]);
  return { columns, pairs, all: [...columns.values(), ...pairs.values()].flat() };
}

async function verdictsOf(
  session: Session,
  groups: readonly JudgedTogether[],
): Promise<ReadonlyMap<ExpressionPair, Verdict>> {
  const told = (outputs: readonly (readonly Verdict[])[]) =>
    new Map(groups.flatMap(({ pairs }, of) => pairs.map((pair, at) => [pair, outputs[of]?.[at] ?? null] as const)));
  if (groups.length > 1)
    try {
      const results = await session.script(groups.map(({ columns, pairs }) => explanation(columns, pairs)));
      return told(
        groups.map(({ pairs }, of) => {
          const output = outputOf((results[of] ?? []) as readonly ExplainRow[]);
          return pairs.map((_, at) => areAlike(output, at));
        }),
      );
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  const outputs: (readonly Verdict[])[] = [];
  for (const { columns, pairs } of groups) outputs.push(await judgeTogether(session, columns, pairs));
  return told(outputs);
}

const areAlike = (output: readonly string[], at: number): boolean =>
  output[at * 2] !== undefined && output[at * 2] === output[at * 2 + 1];

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
    const output = outputOf(await session.query<ExplainRow>(explanation(columns, pairs)));
    return pairs.map((_, at) => areAlike(output, at));
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

const outputOf = ([row]: readonly ExplainRow[]): readonly string[] => row?.['QUERY PLAN'][0]?.Plan.Output ?? [];

function explanation(columns: JudgeColumns, pairs: readonly ExpressionPair[]): string {
  const outputs = pairs.flatMap((pair) => {
    const cast = pair.castTo === null ? '' : `::${pair.castTo}`;
    return [`(${pair.desired})${cast}`, `(${pair.actual})${cast}`];
  });
  const definitions = columns
    .filter(({ collation }) => !isTenants(collation ?? ''))
    .map(
      ({ name, type, collation }) =>
        `${quoteIdentifier(name)} ${type}${collation === null ? '' : ` COLLATE ${collation}`}`,
    );
  const from =
    definitions.length === 0 ? '' : ` FROM pg_catalog.jsonb_to_recordset('[]') AS t(${definitions.join(', ')})`;
  return `EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT ${outputs.join(', ')}${from}`;
}
