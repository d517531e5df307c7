/** Whether there is a row or a value. `unknown` counts as `some` wherever something could be lost. */
export type Presence = 'none' | 'some' | 'unknown';

/** An index's scans since the statistics were reset, and its bytes. */
export interface IndexUsage {
  readonly scans: number;
  readonly bytes: number;
}
