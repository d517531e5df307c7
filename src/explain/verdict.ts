import type { ExpectedIndex, RowCount, Verdict } from './explanation.js';
import type { Access } from './plan-nodes.js';

/** An index of the table, as far as a verdict depends on it. */
export interface JudgedIndex {
  readonly oid: string;
  readonly method: string;
  /** Whether an extension brings the method. PostgreSQL's own find what matches, and rows are never too few. */
  readonly ofExtension: boolean;
  readonly partial: boolean;
  /** Whether method and predicate are those of the index that should serve: it does its work under another name. */
  readonly alike: boolean;
}

/** What a verdict is made of. */
export interface Evidence {
  /** Every place where the plan reads the table. */
  readonly accesses: readonly Access[];
  /** The indexes that the plan names, by name. */
  readonly indexes: ReadonlyMap<string, JudgedIndex>;
  readonly expected: Pick<ExpectedIndex, 'serves' | 'found' | 'state'>;
  /** Methods that the phase owns. */
  readonly methods: ReadonlySet<string>;
  readonly partition: RowCount;
  readonly table: RowCount;
  readonly exactRows: number;
}

/** A verdict, and whether it is good enough. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly ok: boolean;
}

/** The judgement of a plan: that of the worst place where it reads the table. Null when it reads it nowhere. */
export function judge(evidence: Evidence): Judgement | null {
  const all = evidence.accesses.map((access) => judgeAccess(access, evidence));
  return all.reduce<Judgement | null>((worst, one) => (worst === null || rank(one) > rank(worst) ? one : worst), null);
}

const ORDER: readonly Verdict[] = ['member', 'index', 'exact', 'sequential', 'other-index', 'global-post-filter'];

const rank = ({ verdict, ok }: Judgement): number => ORDER.indexOf(verdict) + (ok ? 0 : ORDER.length);

function judgeAccess(access: Access, evidence: Evidence): Judgement {
  const { expected, exactRows } = evidence;
  if (access.indexes.length === 0) return { verdict: 'sequential', ok: isFew(evidence.table, exactRows) };
  const used = access.indexes.flatMap((name) => evidence.indexes.get(name) ?? []);
  const serving = used.some((index) => index.oid === expected.found?.oid);
  if (serving && expected.state === 'valid') {
    return { verdict: expected.serves.kind === 'family' ? 'member' : 'index', ok: true };
  }
  const searched = used.find((index) => index.ofExtension && (access.ordered || evidence.methods.has(index.method)));
  if (searched === undefined) return { verdict: 'exact', ok: isFew(evidence.partition, exactRows) };
  // What a family divides by partition, an index over the whole table can only filter afterwards.
  if (expected.serves.kind === 'family' && !searched.partial) return { verdict: 'global-post-filter', ok: false };
  return { verdict: 'other-index', ok: searched.alike };
}

const isFew = (rows: RowCount, limit: number): boolean => !rows.capped && rows.counted <= limit;
