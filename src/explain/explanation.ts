import type { VisitedDatabase } from '../database/database-place.js';
import type { DesiredState } from '../desired-state/model.js';
import type { ServingIndex } from '../desired-state/probe.js';
import type { ProbePlan } from './plan-nodes.js';

/**
 * How the planner reaches the rows of a probe:
 * - `member`: by the family's member for the partition
 * - `index`: by the declared index that the probe names
 * - `exact`: it reads the partition's rows by another index and computes each distance or match; fine when they are few
 * - `global-post-filter`: it searches an index over the whole table and filters by the partition afterwards: too few rows come
 * - `sequential`: it reads the whole table; fine when that is small
 * - `other-index`: by another index of the kind that the phase owns
 * - `no-rows`: there is nothing to probe with
 * - `unreadable`: the server refused
 */
export const VERDICTS = [
  'member',
  'index',
  'exact',
  'global-post-filter',
  'sequential',
  'other-index',
  'no-rows',
  'unreadable',
] as const;

/** One of {@link VERDICTS}. */
export type Verdict = (typeof VERDICTS)[number];

/** Rows, counted no further than one more than the probe's bound for exact scans. */
export interface RowCount {
  readonly counted: number;
  /** There are at least `counted`. */
  readonly capped: boolean;
}

/** An index of the probed table. */
export interface ExplainedIndex {
  /** As the catalog of the transaction that planned the probe says. */
  readonly oid: string;
  readonly name: string;
  readonly method: string;
  /** The extension that brings the method; null for PostgreSQL's own. */
  readonly extension: string | null;
  readonly valid: boolean;
  /** Whether it has a predicate. */
  readonly partial: boolean;
  readonly bytes: number;
}

/** The index that should serve. */
export interface ExpectedIndex {
  readonly serves: ServingIndex;
  readonly name: string;
  /** Null: there is none of that name on the table. */
  readonly found: ExplainedIndex | null;
  /** `other`: one of that name that is not what is declared (method, predicate). */
  readonly state: 'valid' | 'invalid' | 'missing' | 'other';
}

/** The part of the table that was probed. */
export interface Partition {
  /** By `set.value` or `partition.column`; empty: the whole table. */
  readonly values: Readonly<Record<string, string>>;
  /** Names among them whose values come from rows. */
  readonly fromRows: readonly string[];
  /** Whether the request named any of them. */
  readonly chosen: boolean;
  readonly rows: RowCount;
}

/** How a probe fares without the indexes over the whole table that nothing declares. */
export type WithoutGlobal =
  | {
      readonly kind: 'planned';
      /** Those left out. */
      readonly indexes: readonly ExplainedIndex[];
      readonly verdict: Verdict;
      readonly ok: boolean;
      readonly used: readonly ExplainedIndex[];
      readonly plan: ProbePlan;
    }
  | { readonly kind: 'refused'; readonly indexes: readonly ExplainedIndex[]; readonly reason: string };

/** One probe on one partition of one tenant. */
export interface ProbeResult {
  readonly database: string;
  readonly schema: string;
  readonly phase: string;
  readonly probe: string;
  readonly description: string | null;
  readonly table: string;
  readonly verdict: Verdict;
  readonly ok: boolean;
  /** Why, in a sentence. */
  readonly reason: string;
  /** What to do about it; null: nothing. */
  readonly remedy: string | null;
  /** Null where none could be chosen. */
  readonly partition: Partition | null;
  /** Up to so many rows an exact or sequential scan is fine. */
  readonly exactRows: number;
  /** Null where it came to no plan. */
  readonly expected: ExpectedIndex | null;
  /** By which indexes the planner reaches the table. */
  readonly used: readonly ExplainedIndex[];
  readonly plan: ProbePlan | null;
  /** Valid indexes over the whole table that the phase owns and nothing declares. */
  readonly stale: readonly ExplainedIndex[];
  /** Null where it was not asked for, or none is there. */
  readonly without: WithoutGlobal | null;
  readonly settings: Readonly<Record<string, string>>;
  /** Those of `settings` that the server does not know: they had no effect. */
  readonly unknownSettings: readonly string[];
  /** The query as it was planned, with values; null where it came to none. */
  readonly query: string | null;
}

/** A database that was explained. */
export interface ExplainedDatabase extends VisitedDatabase {
  /** How many tenants it has; null where schemas were named. */
  readonly tenants: number | null;
  readonly schemas: readonly string[];
}

/** What was found out. */
export interface Explanation {
  readonly createdAt: Date;
  /** The desired states that probes were taken from: several where overrides or alternatives are followed. */
  readonly states: readonly DesiredState[];
  readonly databases: readonly ExplainedDatabase[];
  readonly results: readonly ProbeResult[];
}
