import type { DesiredConstraint } from '../desired-state/model.js';
import type { KeyConstraintShape, TableShape } from '../shape/table-shape.js';
import type { Change } from './change.js';
import { dropped } from './constraint-steps.js';
import type { DiffContext } from './context.js';
import { primaryKeyOf } from './key-constraints.js';
import { sparingNeeded } from './referenced-keys.js';

/** A table has one primary key: that of another name is in the way of a declared one. */
export function rivalOf(wanted: DesiredConstraint, actual: TableShape): KeyConstraintShape | undefined {
  const found = wanted.kind === 'primary-key' ? primaryKeyOf(actual) : undefined;
  return found?.name === wanted.name ? undefined : found;
}

/** The same, with a primary key that nothing declares out of its way: at the last moment, since it is enforced until then. */
export function without(rival: KeyConstraintShape | undefined, made: Change, context: DiffContext): Change {
  if (rival === undefined) return made;
  const steps = [...made.steps.slice(0, -1), dropped(made.table, rival), ...made.steps.slice(-1)];
  const hazards = [...new Set([...made.hazards, 'INDEX_DROPPED' as const])];
  const reason = `${made.reason}; the primary key is "${rival.name}", which nothing declares`;
  return sparingNeeded({ ...made, reason, hazards, steps, frees: [...made.frees, rival.name] }, rival, context);
}
