import type { Action, Change } from '../diff/change.js';

/** What a change is called: wherever one is written down, it begins with this. */
export interface ChangeName {
  readonly phase: string;
  readonly action: Action;
  /** `''` for schemas and extensions. */
  readonly table: string;
  readonly object: string;
  /** The label of the index family, when the change stands for members of one. */
  readonly family?: string;
}

/** A change's name. */
export const changeName = ({ phase, action, table, object, family }: Change): ChangeName => ({
  phase,
  action,
  table,
  object,
  ...(family === null ? {} : { family }),
});
