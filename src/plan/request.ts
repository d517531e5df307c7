import type { DatabaseMemory } from '../catalog/database-memory.js';
import type { TenantSelection } from '../catalog/discover.js';
import type { DesiredState } from '../desired-state/model.js';
import type { Approval } from '../diff/context.js';
import type { Progress } from '../progress.js';
import type { Reload } from './desired-variants.js';

/** What a plan is asked for. */
export interface PlanRequest {
  readonly desired: DesiredState;
  /** Loads the files anew for alternatives and overrides; without it neither is followed. */
  readonly reload?: Reload;
  readonly selection: TenantSelection;
  readonly allow: ReadonlySet<Approval>;
  readonly progress: Progress;
  /** Names of tables: no other is looked at. What that shows of a tenant holds for these tables alone. */
  readonly focus?: ReadonlySet<string>;
  /** What the run has learnt of the database before; left out: nothing. */
  readonly memory?: DatabaseMemory;
  /**
   * Whether rows that the memory says were not there count as not there still: for what is made under a lock, where that is
   * checked again. Left out: no.
   */
  readonly presumes?: boolean;
  /**
   * Whether these tenants were made a moment ago, of nothing and by these very files: another one that was made so and is alike was
   * found in order, or not, as this one. Left out: no.
   */
  readonly made?: boolean;
  /**
   * Whether such a plan, of other tenants maybe, is asked for again over the same connections, none of which is shared.
   * Left out: no.
   */
  readonly again?: boolean;
  /** Whether what nothing declares is counted; it is not where only some tables are looked at. Left out: yes. */
  readonly counts?: boolean;
}
