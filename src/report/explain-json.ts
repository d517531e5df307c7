import type {
  ExpectedIndex,
  ExplainedDatabase,
  ExplainedIndex,
  Explanation,
  ProbeResult,
  RowCount,
  Verdict,
  WithoutGlobal,
} from '../explain/explanation.js';
import type { ProbePlan } from '../explain/plan-nodes.js';
import { FORMAT_VERSION } from '../format-version.js';
import { TRUEUP_VERSION } from './document-version.js';
import { type ExplainNames, explainNames } from './explain-names.js';
import type { MemberNames } from './member-names.js';

/** What `explain --json` prints; schema/explain.schema.json describes it. */
export interface ExplainDocument {
  readonly formatVersion: string;
  readonly trueupVersion: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly databases: readonly Omit<ExplainedDatabase, 'port' | 'source'>[];
  readonly summary: { readonly probes: number; readonly passed: number; readonly failed: number };
  readonly results: readonly ProbeDocument[];
}

/** One probe on one partition of one tenant. */
export interface ProbeDocument
  extends Omit<ProbeResult, 'partition' | 'expected' | 'plan' | 'without' | 'query' | 'used' | 'stale'> {
  readonly partition: {
    /** Values that come from rows are `…` unless they are shown. */
    readonly values: Readonly<Record<string, string>>;
    readonly chosen: boolean;
    readonly rows: RowCount;
  } | null;
  readonly expected: {
    /** Null: a declared index. */
    readonly family: string | null;
    readonly index: string;
    readonly state: ExpectedIndex['state'];
    readonly found: ExplainedIndex | null;
  } | null;
  readonly used: readonly ExplainedIndex[];
  readonly stale: readonly ExplainedIndex[];
  readonly plan: ProbePlan | null;
  readonly without: WithoutDocument | null;
  /** Only where values are shown. */
  readonly query?: string;
}

/** How a probe fares without the indexes over the whole table that nothing declares. */
export interface WithoutDocument {
  readonly indexes: readonly ExplainedIndex[];
  /** Why it could not be planned so; null: it was, and the rest says how. */
  readonly refused: string | null;
  readonly verdict: Verdict | null;
  readonly ok: boolean | null;
  readonly used: readonly ExplainedIndex[];
  readonly plan: ProbePlan | null;
}

/**
 * The document of an explanation.
 * @param hide leaves out what names and values hold of rows; null shows them
 */
export function explainDocument(
  explanation: Explanation,
  options: { readonly hide: MemberNames | null },
): ExplainDocument {
  const names = explainNames(options.hide);
  const { results } = explanation;
  const passed = results.filter((result) => result.ok).length;
  return {
    formatVersion: FORMAT_VERSION,
    trueupVersion: TRUEUP_VERSION,
    createdAt: explanation.createdAt.toISOString(),
    databases: explanation.databases.map(({ id, host, name, serverVersion, role, tenants, schemas }) => ({
      id,
      host,
      name,
      serverVersion,
      role,
      tenants,
      schemas,
    })),
    summary: { probes: results.length, passed, failed: results.length - passed },
    results: results.map((result) => probeDocument(result, names, options.hide === null)),
  };
}

function probeDocument(result: ProbeResult, names: ExplainNames, showQuery: boolean): ProbeDocument {
  const { partition, expected, plan, without, query, used, stale, reason, ...rest } = result;
  const index = (one: ExplainedIndex): ExplainedIndex => ({ ...one, name: names.index(one.name) });
  return {
    ...rest,
    reason: names.message(reason),
    partition:
      partition === null ? null : { values: names.values(partition), chosen: partition.chosen, rows: partition.rows },
    expected:
      expected === null
        ? null
        : {
            family: expected.serves.kind === 'family' ? expected.serves.label : null,
            index: names.index(expected.name),
            state: expected.state,
            found: expected.found === null ? null : index(expected.found),
          },
    used: used.map(index),
    stale: stale.map(index),
    plan: plan === null ? null : planDocument(plan, names),
    without: without === null ? null : withoutDocument(without, names, index),
    ...(showQuery && query !== null ? { query } : {}),
  };
}

const planDocument = (plan: ProbePlan, names: ExplainNames): ProbePlan => ({
  ...plan,
  nodes: plan.nodes.map((node) => ({ ...node, index: node.index === null ? null : names.index(node.index) })),
});

function withoutDocument(
  without: WithoutGlobal,
  names: ExplainNames,
  index: (one: ExplainedIndex) => ExplainedIndex,
): WithoutDocument {
  const indexes = without.indexes.map(index);
  if (without.kind === 'refused') {
    return { indexes, refused: names.message(without.reason), verdict: null, ok: null, used: [], plan: null };
  }
  const { verdict, ok, used, plan } = without;
  return { indexes, refused: null, verdict, ok, used: used.map(index), plan: planDocument(plan, names) };
}
