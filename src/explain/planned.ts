import type { Row } from '../database/session.js';
import { TrueupError } from '../trueup-error.js';
import { isAlike } from './alike.js';
import type { ExplainContext, TenantProbe } from './context.js';
import type { ExpectedIndex, ExplainedIndex } from './explanation.js';
import { type DetailedIndex, detailIndexes, type ListedIndex, listIndexes, shownIndex } from './indexes.js';
import { accessesOf, type ExplainDocument, type ProbePlan, summaryOf } from './plan-nodes.js';
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

async function judged(
  context: ExplainContext,
  of: TenantProbe,
  prepared: PreparedProbe,
  document: ExplainDocument,
  indexes: readonly ListedIndex[],
): Promise<PlannedProbe> {
  const { session } = context;
  const { relation, partition } = prepared;
  const accesses = accessesOf(document[0].Plan, relation.schema, relation.name);
  const named = new Set(accesses.flatMap((access) => access.indexes));
  const expectedName = partition.member?.name ?? (of.probe.serves.kind === 'index' ? of.probe.serves.name : '');
  const stale = new Set(indexes.filter((index) => isStale(index, of)).map((index) => index.oid));
  const told = indexes.filter((index) => named.has(index.name) || index.name === expectedName || stale.has(index.oid));
  const details = await detailIndexes(session, told);
  const detailed = (index: ListedIndex): readonly DetailedIndex[] =>
    [details.get(index.oid)].flatMap((one) => one ?? []);
  const used = told.filter((index) => named.has(index.name)).flatMap(detailed);
  const found = told.find((index) => index.name === expectedName);
  const foundDetails = found === undefined ? undefined : details.get(found.oid);
  const alike = new Map<string, boolean>();
  for (const index of new Set([...used, ...(foundDetails === undefined ? [] : [foundDetails])]))
    alike.set(index.oid, await isAlike(context, of, prepared, index));
  const expected: ExpectedIndex = {
    serves: of.probe.serves,
    name: expectedName,
    found: foundDetails === undefined ? null : shownIndex(foundDetails),
    state: stateOf(foundDetails, alike),
  };
  const judgement = judge({
    accesses,
    indexes: new Map(
      used.map((index) => [
        index.name,
        { ...index, ofExtension: index.extension !== null, alike: alike.get(index.oid) === true },
      ]),
    ),
    expected,
    methods: new Set(of.phase.owns?.methods ?? []),
    partition: partition.rows,
    table: prepared.tableRows,
    exactRows: of.exactRows,
  });
  if (judgement === null) {
    throw new TrueupError('TENANT_UNREADABLE', `the plan of probe ${of.probe.name} reads ${relation.name} nowhere`, {
      where: `schema ${relation.schema}`,
      remedy: 'a constraint may exclude the partition; look at the plan with --show-values --json',
    });
  }
  return {
    judgement,
    expected,
    used: used.map(shownIndex),
    stale: told
      .filter((index) => stale.has(index.oid))
      .flatMap(detailed)
      .map(shownIndex),
    plan: summaryOf(document),
  };
}

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

function stateOf(found: DetailedIndex | undefined, alike: ReadonlyMap<string, boolean>): ExpectedIndex['state'] {
  if (found === undefined) return 'missing';
  if (alike.get(found.oid) !== true) return 'other';
  return found.valid ? 'valid' : 'invalid';
}
