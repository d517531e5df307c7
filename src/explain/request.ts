import type { TenantSelection } from '../catalog/discover.js';
import type { DesiredState } from '../desired-state/model.js';
import type { Reload } from '../plan/desired-variants.js';
import type { Progress } from '../progress.js';

/** What an explain is asked for. */
export interface ExplainRequest {
  readonly desired: DesiredState;
  /** Loads the files anew for alternatives and overrides; without it neither is followed. */
  readonly reload?: Reload;
  /** Without named schemas: the largest tenant of each database. */
  readonly selection: TenantSelection;
  /** Names of probes; empty: all. */
  readonly probes: readonly string[];
  /** Values that the partition must have, by `set.value` of the family or `partition.column`; empty: the largest. */
  readonly values: Readonly<Record<string, string>>;
  /**
   * Also plan without the indexes over the whole table that nothing declares: dropped in a transaction that is rolled back, under
   * an ACCESS EXCLUSIVE lock on the table for the length of an EXPLAIN.
   */
  readonly hypothetical: boolean;
  /** Execute each probe once, read only. */
  readonly analyze: boolean;
  /** What a statement may take, in milliseconds. */
  readonly statementTimeout: number;
  readonly progress: Progress;
}

/** What a statement of an explain may take, unless asked otherwise; milliseconds. */
export const DEFAULT_STATEMENT_TIMEOUT = 60_000;
