import type { DesiredIndex } from '../desired-state/model.js';
import type { IndexShape } from '../shape/table-shape.js';
import { isTemporary } from '../sql/temporary-name.js';
import { blocked, type Change, type Hazard } from './change.js';
import type { DiffContext } from './context.js';
import { drop } from './index-steps.js';
import { matchesLike } from './like.js';
import { owningPhase } from './ownership.js';
import type { Step } from './step.js';

/** Who takes the place on a table that a method has one of. */
export interface Place {
  /** Unexpected indexes that the phase owns: they go first, in the same change, so that they stay if it is refused. */
  readonly occupants: readonly IndexShape[];
  /** One that nothing may drop. */
  readonly stranger: IndexShape | null;
}

/** A place that nothing takes. */
export const FREE: Place = { occupants: [], stranger: null };

/** The place of an index; what takes it and may go is claimed: taken out of `spare`. */
export function placeOf(desired: DesiredIndex, spare: Map<string, IndexShape>, context: DiffContext): Place {
  if (!desired.onePerTable) return FREE;
  const { method } = desired;
  const there = [...spare.values()].filter(
    (index) =>
      index.method.name === method.name && index.method.extension === method.extension && !isTemporary(index.name),
  );
  const mayGo = (index: IndexShape) => {
    const phase = owningPhase(index, context);
    return phase?.name === desired.phase && !phase.keep.some((pattern) => matchesLike(index.name, pattern));
  };
  const stranger = there.find((index) => !mayGo(index)) ?? null;
  if (stranger !== null) return { occupants: [], stranger };
  // Claimed: nothing else drops them.
  for (const index of there) spare.delete(index.name);
  return { occupants: there, stranger: null };
}

/** What clearing the place costs. @param online whether the index that takes it is built by a step of its own */
export const hazardsOf = ({ occupants }: Place, online: boolean): readonly Hazard[] =>
  occupants.length === 0 ? [] : online ? ['INDEX_DROPPED', 'INDEX_ABSENT_MEANWHILE'] : ['INDEX_DROPPED'];

/** The same change, refused for the sake of an index that may not go. */
export const taken = (made: Change, stranger: IndexShape): Change =>
  blocked(
    made,
    `method ${stranger.method.name} permits one index on a table, and "${stranger.name}", which no phase may drop, is there`,
    `drop that index, or let the phase own it (owns and keep in fleet.yaml)`,
  );

/** Makes the place free. */
export const clearing = ({ occupants }: Place, table: string): readonly Step[] =>
  occupants.map((index) => drop(table, index.name));

/** What that makes free beside it: the names of what goes. */
export const clearedNames = ({ occupants }: Place): readonly string[] => occupants.map((index) => index.name);
