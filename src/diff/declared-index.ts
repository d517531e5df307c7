import type { DesiredIndex, DesiredTable } from '../desired-state/model.js';
import {
  type ConstraintShape,
  type IndexShape,
  isKey,
  type KeyConstraintShape,
  type TableShape,
} from '../shape/table-shape.js';
import { isTemporary } from '../sql/temporary-name.js';
import { alteredIndex } from './altered-index.js';
import { asSwitch } from './backend-switch.js';
import type { Change } from './change.js';
import type { DiffContext, OwnedIndex } from './context.js';
import { definitionDifference, predicateDifference } from './index-difference.js';
import { settingsFor } from './index-options.js';
import { dropUnworthy, setting } from './index-steps.js';
import { created, displacing, type IndexWork, indexTarget, rebuilt, renamed, repaired } from './index-work.js';
import { clearing, FREE, placeOf } from './one-per-table.js';
import { owningPhase } from './ownership.js';
import { droppedIndex } from './unexpected-index.js';
import { worthOf } from './worth-rows.js';

/** The state of a table's indexes, members of families aside. */
export interface TableIndexes {
  readonly desired: DesiredTable;
  readonly actual: TableShape;
  /** Owned indexes of this table that no family claims. */
  readonly owned: readonly OwnedIndex[];
  /** Columns that this run replaces: their indexes go with them. */
  readonly replaced: ReadonlySet<string>;
  /** Indexes that the table's constraints take over. */
  readonly adopted: ReadonlySet<string>;
  /** Constraints that no declaration claims: any other leaves its name by a change of its own. */
  readonly unclaimed: readonly ConstraintShape[];
}

/**
 * What one declared index needs; null where it is in order, or not worth making.
 * @param actual the index of its name
 * @param spare indexes that no declaration has claimed so far; what this one needs is taken out
 */
export function diffIndex(
  desired: DesiredIndex,
  actual: IndexShape | null,
  spare: Map<string, IndexShape>,
  of: TableIndexes,
  context: DiffContext,
): Change | null {
  const difference = actual === null ? null : differenceOf(desired, actual, of, context);
  const worth = worthOf(desired.worthRows, actual !== null, (limit) =>
    context.facts.count(of.desired.name, desired.where, limit),
  );
  if (worth === 'leave') return null;
  if (worth === 'drop' && actual !== null) return asSwitch(unworthy(desired, of, context), actual, context);
  if (actual !== null && difference === null && actual.valid) return altered(desired, actual, of.desired.name);

  const work = workFor(desired, actual !== null, spare, of, context);
  if (actual !== null)
    return actual.valid || difference !== null || work.twin !== null
      ? rebuilt(work, actual, difference)
      : repaired(work);
  const squatter = squatterOf(desired, of);
  if (squatter !== null) return displacing(work, squatter);
  return work.twin === null ? created(work, lostOf(desired, of)) : renamed(work, work.twin);
}

function workFor(
  desired: DesiredIndex,
  present: boolean,
  spare: Map<string, IndexShape>,
  of: TableIndexes,
  context: DiffContext,
): IndexWork {
  const twin = [...spare.values()].find(
    (index) =>
      index.valid &&
      (isTemporary(index.name) || (!present && owningPhase(index, context)?.name === desired.phase)) &&
      differenceOf(desired, index, of, context) === null,
  );
  const { name: table } = of.desired;
  const common = {
    desired,
    of,
    context,
    table,
    target: indexTarget(desired, table),
    online: context.facts.rows(table) !== 'none',
  };
  if (twin === undefined) {
    const place = placeOf(desired, spare, context);
    return { ...common, twin: null, settings: [], place, first: clearing(place, table) };
  }
  // Claimed: what is renamed into place is no longer unexpected, and serves one declaration only.
  spare.delete(twin.name);
  const settings = settingsFor(desired, twin);
  return { ...common, twin, settings, place: FREE, first: setting(table, twin.name, settings) };
}

/** The index is there, and in order but for options that it takes on as it stands, or altogether. */
function altered(desired: DesiredIndex, actual: IndexShape, table: string): Change | null {
  const settings = settingsFor(desired, actual);
  const base = { phase: desired.phase, table, object: desired.name };
  return settings.length === 0 ? null : alteredIndex(base, desired.name, settings);
}

function unworthy(desired: DesiredIndex, of: TableIndexes, context: DiffContext): Change {
  const table = of.desired.name;
  const target = indexTarget(desired, table);
  const at = { name: table, phase: desired.phase };
  return {
    ...droppedIndex(desired.name, 'too few rows to be worth its cost', at, context),
    assumptions: [{ kind: 'few-rows', table, where: target.definition.where, below: desired.worthRows?.keep ?? 0 }],
    steps: dropUnworthy(target),
  };
}

function differenceOf(
  desired: DesiredIndex,
  actual: IndexShape,
  of: TableIndexes,
  context: DiffContext,
): string | null {
  return (
    definitionDifference(desired, actual, of.actual, context) ??
    predicateDifference(desired.where, actual.where, of.actual, context)
  );
}

/** The key that nothing declares under an index's name. One that goes with a replaced column leaves the name by that. */
const squatterOf = (desired: DesiredIndex, { unclaimed, replaced }: TableIndexes): KeyConstraintShape | null =>
  unclaimed
    .filter(isKey)
    .find(
      ({ name, columns, include }) =>
        name === desired.name && ![...columns, ...include].some((column) => replaced.has(column)),
    ) ?? null;

/** What is there of a missing index's name, and goes with a column that this run replaces. */
const lostOf = ({ name }: DesiredIndex, { actual, owned }: TableIndexes): IndexShape | null =>
  [...actual.indexes, ...owned.map(({ index }) => index)].find((index) => index.name === name) ?? null;
