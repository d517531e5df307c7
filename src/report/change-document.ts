import type { IndexUsage } from '../catalog/fact-types.js';
import { type Change, type Hazard, type Status, strongestLock } from '../diff/change.js';
import type { LockMode } from '../diff/lock-mode.js';
import { type ChangeName, changeName } from '../plan/change-name.js';
import { schemaNamed } from './visible.js';

/** A change as the JSON documents show it; of every tenant that needs it, so without names of tenants or members. */
export interface ChangeDocument extends ChangeName {
  /** How many members it stands for; over all tenants of the class, in a plan. */
  readonly memberCount?: number;
  /** Of the indexes that it drops, over all tenants of the class: scans since the statistics were reset, and bytes. */
  readonly usage?: IndexUsage;
  readonly status: Status;
  readonly reason: string;
  /** What blocks or defers it. */
  readonly obstacle?: string;
  /** What can be done about that. */
  readonly remedy?: string;
  readonly hazards: readonly Hazard[];
  /** The strongest lock on a table that it takes. */
  readonly lock: LockMode;
}

/** A change's document. @param members how many members it stands for; not used unless it is a family's */
export function changeDocument(change: Change, members: number, usage?: IndexUsage): ChangeDocument {
  return {
    ...changeName(change),
    ...(change.family === null ? {} : { memberCount: members }),
    ...(usage === undefined ? {} : { usage }),
    status: change.status,
    reason: schemaNamed(change.reason),
    ...(change.obstacle === null ? {} : { obstacle: schemaNamed(change.obstacle) }),
    ...(change.remedy === null ? {} : { remedy: schemaNamed(change.remedy) }),
    hazards: change.hazards,
    lock: strongestLock(change),
  };
}
