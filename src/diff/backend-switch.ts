import type { ResolvedBackend } from '../desired-state/model.js';
import type { IndexShape, MethodIdentity } from '../shape/table-shape.js';
import { blocked, type Change } from './change.js';
import type { DiffContext } from './context.js';
import { owningPhase } from './ownership.js';

/** A phase's backend is switched in a tenant as a whole or not at all: the group of every change that is part of it. */
export const switchGroup = (phase: string): string => `backend of phase ${phase}`;

/** The access methods of the backend that a phase runs. */
export const ownMethods = ({ known, resolved }: ResolvedBackend): readonly MethodIdentity[] =>
  known.find((backend) => backend.name === resolved)?.methods ?? [];

/** Whether an owned index belongs to a backend other than the one that its phase runs: told by its method's extension. */
export function isOtherBackends(index: IndexShape, context: Pick<DiffContext, 'phases' | 'facts'>): boolean {
  const phase = owningPhase(index, context);
  if (phase === null || phase.backend === null) return false;
  return !ownMethods(phase.backend).some((method) => method.extension === index.method.extension);
}

/**
 * A change that replaces or drops another backend's index: part of a switch, and refused on a populated table unless it is
 * approved. `index` null, or the backend's own: the change as it is. An index that goes with its column (`withColumn`) is
 * part of the column's rebuild too, so that its approval serves both.
 */
export function asSwitch(made: Change, index: IndexShape | null, context: DiffContext, withColumn = false): Change {
  if (index === null || !isOtherBackends(index, context)) return made;
  const part = { ...made, group: switchGroup(made.phase) };
  const rows = context.facts.rows(made.table);
  const allowed = context.allow.has('rebuild-index') || (withColumn && context.allow.has('rebuild-column'));
  if (rows === 'none' || allowed) return part;
  const holds = rows === 'some' ? 'holds rows' : 'may hold rows (that could not be told)';
  return blocked(
    part,
    `table ${made.table} ${holds}, and the index is of ${index.method.extension === null ? 'PostgreSQL itself' : `extension ${index.method.extension}`}`,
    `keep the backend that the tenant runs (--backend ${made.phase}=NAME), or allow the builds with --allow ${withColumn ? 'rebuild-column' : 'rebuild-index'}`,
  );
}
