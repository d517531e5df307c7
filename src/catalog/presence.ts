/** Whether there is a row or a value. `unknown` counts as `some` wherever something could be lost. */
export type Presence = 'none' | 'some' | 'unknown';

/** An index's scans since the statistics were reset, and its bytes. */
export interface IndexUsage {
  readonly scans: number;
  readonly bytes: number;
}

/** Who builds an index of a table, and what is INVALID there: looked at in this order. */
export interface Building {
  /** The server's process that holds what a running build holds; null for none. */
  readonly by: number | null;
  readonly invalid: readonly string[];
}
