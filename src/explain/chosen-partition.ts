import type { ExpectedMember } from '../diff/family-members.js';
import { TrueupError } from '../trueup-error.js';
import type { TenantProbe } from './context.js';
import type { RowCount } from './explanation.js';

/** A part of a table. */
export interface ChosenPartition {
  /** Of a family: the member that serves it. */
  readonly member: ExpectedMember | null;
  /** By `set.value` or `partition.column`. */
  readonly values: Readonly<Record<string, string>>;
  readonly fromRows: readonly string[];
  readonly chosen: boolean;
  /** Its condition as SQL; null: the whole table. */
  readonly where: string | null;
  readonly rows: RowCount;
}

/** The error of a request for values that no partition has. */
export const noSuchPartition = (of: TenantProbe, values: Readonly<Record<string, string>>): TrueupError =>
  new TrueupError('USAGE', `schema "${of.schema}" has no partition with these values`, {
    where: Object.keys(values)
      .map((name) => `--value ${name}`)
      .join(' '),
    remedy: 'check the values; without --value the largest partition is probed',
  });
