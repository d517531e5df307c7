import type { Row } from '../database/session.js';
import { TrueupError } from '../trueup-error.js';
import { isAlike } from './alike.js';
import type { ExplainContext, TenantProbe } from './context.js';
import type { ExpectedIndex, ExplainedIndex } from './explanation.js';
import { type DetailedIndex, detailIndexes, type ListedIndex, listIndexes, shownIndex } from './indexes.js';
import { type Access, accessesOf, type ExplainDocument, type ProbePlan, summaryOf } from './plan-nodes.js';
import type { PreparedProbe } from './prepare.js';
import { type Judgement, judge } from './verdict.js';

/** What the planner does with a probe, and what that is worth. */
export interface PlannedProbe {
  readonly judgement: Judgement;
  readonly expected: ExpectedIndex;
  readonly used: readonly ExplainedIndex[];
  readonly stale: readonly ExplainedIndex[];
  readonly plan: ProbePlan;
}

interface ExplainRow extends Row {
  readonly 'QUERY PLAN': ExplainDocument;
}

/** How often a plan is made again when indexes were renamed meanwhile. */
const ATTEMPTS = 3;

/**
 * Plans a probe in the open transaction. EXPLAIN gives names and no oids. A name is unique in its schema, and an index lies
 * in the schema of its table; EXPLAIN locks the table and its indexes until the transaction ends, but no lock that a
 * reader takes keeps an index from being renamed. So the indexes are listed before and after, by the table's oid: the names
 * of the plan stand for those oids when both lists are the same.
 */
export async function planProbe(
  context: ExplainContext,
  of: TenantProbe,
  prepared: PreparedProbe,
  analyze: boolean,
): Promise<PlannedProbe> {
  const { session } = context;
  const { relation } = prepared;
  const options = analyze ? 'ANALYZE, TIMING OFF, VERBOSE, FORMAT JSON' : 'VERBOSE, FORMAT JSON';
  for (let attempt = 1; ; attempt += 1) {
    const before = await listIndexes(session, relation.oid);
    const [row] = await session.query<ExplainRow>(`EXPLAIN (${options}) ${prepared.query}`);
    const after = await listIndexes(session, relation.oid);
    if (row === undefined) throw new Error('internal: EXPLAIN gave no row');
    if (namesOf(before) === namesOf(after)) return judged(context, of, prepared, row['QUERY PLAN'], after);
    if (attempt === ATTEMPTS) {
      throw new TrueupError(
        'TENANT_UNREADABLE',
        `the indexes of ${relation.name} changed while the probe was planned`,
        {
          where: `schema ${relation.schema}`,
          remedy: 'run again',
        },
      );
    }
  }
}

const namesOf = (indexes: readonly ListedIndex[]): string =>
  JSON.stringify(indexes.map(({ oid, name }) => [oid, name]));

/** What a plan is worth, by the indexes that it takes, the one that should serve, and those that should not be there. */
async function judged(
  context: ExplainContext,
  of: TenantProbe,
  prepared: PreparedProbe,
  document: ExplainDocument,
  indexes: readonly ListedIndex[],
): Promise<PlannedProbe> {
  const { relation, partition, tableRows } = prepared;
  const { serves } = of.probe;
  const accesses = accessesOf(document[0].Plan, relation.schema, relation.name);
  const name = partition.member?.name ?? (serves.kind === 'index' ? serves.name : '');
  const { used, found, stale } = await toldIndexes(context, of, { accesses, name, indexes });
  const alike = await alikeAmong(context, of, prepared, new Set([...used, ...(found === null ? [] : [found])]));
  const expected: ExpectedIndex = {
    serves,
    name,
    found: found === null ? null : shownIndex(found),
    state: stateOf(found, alike),
  };
  const judgement = judge({
    accesses,
    indexes: new Map(
      used.map((index) => [
        index.name,
        { ...index, ofExtension: index.extension !== null, alike: alike.has(index.oid) },
      ]),
    ),
    expected,
    methods: new Set(of.phase.owns?.methods ?? []),
    partition: partition.rows,
    table: tableRows,
    exactRows: of.exactRows,
  });
  if (judgement === null) throw readsItNowhere(of, prepared);
  return { judgement, expected, used: used.map(shownIndex), stale: stale.map(shownIndex), plan: summaryOf(document) };
}

/** The indexes of the table that a verdict is about; one may be in several of these. */
interface ToldIndexes {
  /** Those that the plan takes. */
  readonly used: readonly DetailedIndex[];
  /** The one by the name of that which should serve; null: it is missing. */
  readonly found: DetailedIndex | null;
  /** Those over the whole table that nothing declares. */
  readonly stale: readonly DetailedIndex[];
}

/** Reads the details of those that are told of, and of no others: a table may have thousands. */
async function toldIndexes(
  { session }: ExplainContext,
  of: TenantProbe,
  table: { readonly accesses: readonly Access[]; readonly name: string; readonly indexes: readonly ListedIndex[] },
): Promise<ToldIndexes> {
  const taken = new Set(table.accesses.flatMap((access) => access.indexes));
  const used = table.indexes.filter((index) => taken.has(index.name));
  const found = table.indexes.filter((index) => index.name === table.name);
  const stale = table.indexes.filter((index) => isStale(index, of));
  const details = await detailIndexes(session, [...new Set([...used, ...found, ...stale])]);
  const detailed = (some: readonly ListedIndex[]) => some.flatMap((index) => details.get(index.oid) ?? []);
  return { used: detailed(used), found: detailed(found)[0] ?? null, stale: detailed(stale) };
}

/** The oids of those that do what the declared index does, under whatever name. */
async function alikeAmong(
  context: ExplainContext,
  of: TenantProbe,
  prepared: PreparedProbe,
  indexes: Iterable<DetailedIndex>,
): Promise<ReadonlySet<string>> {
  const alike = new Set<string>();
  for (const index of indexes) if (await isAlike(context, of, prepared, index)) alike.add(index.oid);
  return alike;
}

const readsItNowhere = (of: TenantProbe, { relation }: PreparedProbe): TrueupError =>
  new TrueupError('TENANT_UNREADABLE', `the plan of probe ${of.probe.name} reads ${relation.name} nowhere`, {
    where: `schema ${relation.schema}`,
    remedy: 'a constraint may exclude the partition; look at the plan with --show-values --json',
  });

/** An index over the whole table that the phase owns, and that no file declares. */
function isStale(index: ListedIndex, { phase, table }: TenantProbe): boolean {
  const { owns } = phase;
  if (owns === null || index.partial || !index.valid || index.expressions || index.columns === null) return false;
  if (table.indexes.some((declared) => declared.name === index.name)) return false;
  const counting = index.columns.filter((column) => !owns.ignoring.includes(column));
  return (
    owns.methods.includes(index.method) &&
    counting.length > 0 &&
    counting.every((column) => owns.columns.includes(column))
  );
}

/** How the index that should serve stands. */
function stateOf(found: DetailedIndex | null, alike: ReadonlySet<string>): ExpectedIndex['state'] {
  if (found === null) return 'missing';
  if (!alike.has(found.oid)) return 'other';
  return found.valid ? 'valid' : 'invalid';
}
