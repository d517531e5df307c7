import type { TenantSelection } from '../catalog/discover.js';
import type { DesiredState } from '../desired-state/model.js';
import type { Reload } from '../plan/desired-variants.js';
import type { Progress } from '../progress.js';

/** What a look at a fleet's servers is asked for. */
export interface DoctorRequest {
  readonly desired: DesiredState;
  /** Loads the files anew for alternatives and overrides; without it neither is followed. */
  readonly reload?: Reload;
  readonly selection: TenantSelection;
  /** The connections that an apply would open: judged against what is free. */
  readonly concurrency: number;
  /** The budget for locks that an apply would have, in milliseconds: judged against deadlock_timeout. */
  readonly lockTimeout: number;
  /** From what age on an open transaction is told, in milliseconds. */
  readonly longTransaction: number;
  readonly progress: Progress;
}
