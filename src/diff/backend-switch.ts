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

/**
 * Whether a method is another backend's than the one that runs: of another extension, or one that another backend's file
 * uses and its own does not. Two backends may use one extension, or PostgreSQL itself, by methods of their own; what no
 * file names is drift like any other.
 */
export function isForeign(backend: ResolvedBackend, method: MethodIdentity): boolean {
  const own = ownMethods(backend);
  if (!own.some(({ extension }) => extension === method.extension)) return true;
  return !own.some(isSame(method)) && backendOf(backend, method) !== null;
}

/** The first backend that has a file which uses a method. */
export const backendOf = ({ known }: ResolvedBackend, method: MethodIdentity): string | null =>
  known.find(({ methods }) => methods.some(isSame(method)))?.name ?? null;

const isSame = (left: MethodIdentity) => (right: MethodIdentity) =>
  left.name === right.name && left.extension === right.extension;

/** Whether an owned index belongs to a backend other than the one that its phase runs: told by its method. */
export function isOtherBackends(index: IndexShape, context: Pick<DiffContext, 'phases' | 'facts'>): boolean {
  const backend = owningPhase(index, context)?.backend ?? null;
  return backend !== null && isForeign(backend, index.method);
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
    `table ${made.table} ${holds}, and the index is of ${holderOf(index, context)}`,
    `keep the backend that the tenant runs (--backend ${made.phase}=NAME), or allow the builds with --allow ${withColumn ? 'rebuild-column' : 'rebuild-index'}`,
  );
}

/** Whose an index is: its extension's, or the backend's where the one that runs uses that extension too. */
function holderOf(index: IndexShape, context: DiffContext): string {
  const { extension } = index.method;
  const backend = owningPhase(index, context)?.backend ?? null;
  const shared = backend !== null && ownMethods(backend).some((method) => method.extension === extension);
  if (shared) return `backend ${backendOf(backend, index.method)}`;
  return extension === null ? 'PostgreSQL itself' : `extension ${extension}`;
}
