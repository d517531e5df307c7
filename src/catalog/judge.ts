import type { Session } from '../database/session.js';
import type { NameResolver } from '../sql/names.js';
import { type ForeignName, foreignNames } from '../sql/object-names.js';
import { quoteIdentifier } from '../sql/quote.js';
import { relativeSql, renderSql, TENANT_SCHEMA_SQL } from '../sql/template.js';
import { TrueupError } from '../trueup-error.js';
import { readClosed, readPlannable } from './plannable.js';
import { type ExpressionPair, type JudgeColumns, type PairsOver, type Verdict, verdictsOf } from './printed-alike.js';

/** Pairs that are judged together. */
export interface JudgedTogether extends PairsOver {
  /** A tenant by whose own types they are judged; without it, what names the tenant's schema is not. */
  readonly schema?: string | undefined;
}

/**
 * The server judges whether expressions mean the same: after the same analysis and constant folding it prints both alike.
 * Nothing is written, read or locked. Planning runs immutable functions, so only expressions that call pg_catalog and
 * declared extensions are put to it; anything else counts as different. Null is what the server refuses, and what names a type
 * that is not there: by another tenant's types it may be judged.
 */
export async function judgeExpressions(
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
  const verdicts = await verdictsOf(session, judged);
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
