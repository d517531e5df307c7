import type { DesiredTable } from '../desired-state/model.js';
import type { IndexShape } from '../shape/table-shape.js';
import { isTemporary } from '../sql/temporary-name.js';
import { asSwitch } from './backend-switch.js';
import { type Change, change, key } from './change.js';
import type { DiffContext } from './context.js';
import { drop } from './index-steps.js';
import { matchesLike } from './like.js';
import { owningPhase } from './ownership.js';

/** An index that nothing declares: dropped when a selected phase owns it or when it is trueup's own leftover. */
export function unexpectedIndex(index: IndexShape, table: DesiredTable, context: DiffContext): Change | null {
  if (isTemporary(index.name))
    return {
      ...droppedIndex(index.name, 'leftover of an interrupted run', table, context),
      needs: [],
      provides: [key.cleared(table.name)],
    };
  const phase = owningPhase(index, context);
  if (phase === null || !phase.selected) return null;
  if (phase.keep.some((pattern) => matchesLike(index.name, pattern))) return null;
  const reason = `owned by phase ${phase.name}, absent from the desired state`;
  return asSwitch(droppedIndex(index.name, reason, { name: table.name, phase: phase.name }, context), index, context);
}

/** The drop of an index by a phase, with the scans that it has served as a hazard. */
export function droppedIndex(
  index: string,
  reason: string,
  { name: table, phase }: Pick<DesiredTable, 'name' | 'phase'>,
  context: DiffContext,
): Change {
  const usage = context.facts.usage(index);
  const inUse = usage !== null && usage.scans > 0;
  return change({
    phase,
    action: 'drop-index',
    table,
    object: index,
    reason: inUse ? `${reason}; it has served scans since the statistics were reset` : reason,
    hazards: inUse ? ['INDEX_DROPPED', 'INDEX_IN_USE'] : ['INDEX_DROPPED'],
    frees: [index],
    needs: [key.built(phase, table)],
    steps: [drop(table, index)],
  });
}
