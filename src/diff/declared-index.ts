import type { DesiredIndex, DesiredTable } from '../desired-state/model.js';
import {
  type ConstraintShape,
  type IndexShape,
  isKey,
  type KeyConstraintShape,
  type TableShape,
} from '../shape/table-shape.js';
import { dropConstraint } from '../sql/ddl/constraint.js';
import { relativeSql } from '../sql/template.js';
import { isTemporary, temporaryName } from '../sql/temporary-name.js';
import { alteredIndex } from './altered-index.js';
import { asSwitch } from './backend-switch.js';
import { refuseBuild } from './build-refusal.js';
import { type Assumption, type Change, change, type Hazard, key, type Step } from './change.js';
import type { DiffContext, OwnedIndex } from './context.js';
import { definitionDifference, INVALID, predicateDifference } from './index-difference.js';
import { type Setting, settingsFor, withSettings } from './index-options.js';
import {
  build,
  buildSteps,
  drop,
  type IndexTarget,
  indexDefinition,
  rebuildSteps,
  rename,
  setting,
  swapSteps,
} from './index-steps.js';
import { indexedColumns } from './indexed-columns.js';
import { clearedNames, clearing, FREE, hazardsOf, type Place, placeOf, taken } from './one-per-table.js';
import { owningPhase } from './ownership.js';
import { sparingNeeded } from './referenced-keys.js';
import { exclusively } from './step.js';
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
  return work.twin === null ? created(work) : renamed(work, work.twin);
}

/** An index that has to be put in place, and what there is to do it with. */
interface Work {
  readonly desired: DesiredIndex;
  readonly of: TableIndexes;
  readonly context: DiffContext;
  readonly target: IndexTarget;
  /** Whether the table may hold rows: the index is built while others write them. */
  readonly online: boolean;
  /** A valid index of its definition under another name, which takes its place: nothing is built then. */
  readonly twin: IndexShape | null;
  /** Options that the twin takes on before it does so. */
  readonly settings: readonly Setting[];
  /** What stands in the way of a build, of a method that permits one index on a table. */
  readonly place: Place;
}

function workFor(
  desired: DesiredIndex,
  present: boolean,
  spare: Map<string, IndexShape>,
  of: TableIndexes,
  context: DiffContext,
): Work {
  const twin = [...spare.values()].find(
    (index) =>
      index.valid &&
      (isTemporary(index.name) || (!present && owningPhase(index, context)?.name === desired.phase)) &&
      differenceOf(desired, index, of, context) === null,
  );
  // Claimed: what is renamed into place is no longer unexpected, and serves one declaration only.
  if (twin !== undefined) spare.delete(twin.name);
  return {
    desired,
    of,
    context,
    target: indexTarget(desired, of.desired.name),
    online: context.facts.rows(of.desired.name) !== 'none',
    twin: twin ?? null,
    settings: twin === undefined ? [] : settingsFor(desired, twin),
    place: twin === undefined ? placeOf(desired, spare, context) : FREE,
  };
}

/** The index is there, and in order but for options that it takes on as it stands, or altogether. */
function altered(desired: DesiredIndex, actual: IndexShape, table: string): Change | null {
  const settings = settingsFor(desired, actual);
  const base = { phase: desired.phase, table, object: desired.name };
  return settings.length === 0 ? null : alteredIndex(base, desired.name, settings);
}

/** The index is there, and differs or has a successor. */
function rebuilt(work: Work, actual: IndexShape, difference: string | null): Change {
  const { desired, context, target, online, twin, place } = work;
  // Where its successor stands already, nothing is built, and the index serves until the swap.
  const builds = twin === null;
  const dropFirst = !actual.valid || desired.onePerTable;
  const hazards: Hazard[] = ['INDEX_DROPPED'];
  if (builds && online) hazards.push('INDEX_BUILD');
  if (builds && dropFirst && actual.valid) hazards.push('INDEX_ABSENT_MEANWHILE');
  const made = change({
    ...baseOf(work),
    action: 'rebuild-index',
    reason: difference === null ? INVALID : `${difference}${actual.valid ? '' : ', and INVALID'}`,
    assumptions: builds ? emptiness(work) : [],
    hazards,
    frees: clearedNames(place),
    steps: [
      ...clearing(place, target.table),
      ...settingTwin(work),
      ...(twin === null ? rebuildSteps(target, { online, dropFirst }) : swapSteps(target, twin.name)),
    ],
  });
  return place.stranger === null ? buildable(asSwitch(made, actual, context), work) : taken(made, place.stranger);
}

/** The index is there as declared, but INVALID. */
function repaired(work: Work): Change {
  const { target, online, place } = work;
  const made = change({
    ...baseOf(work),
    action: 'rebuild-index',
    reason: INVALID,
    assumptions: emptiness(work),
    hazards: [...(online ? (['INDEX_BUILD'] as const) : []), ...hazardsOf(place, online)],
    frees: clearedNames(place),
    steps: [...clearing(place, target.table), ...rebuildSteps(target, { online, dropFirst: true })],
  });
  return place.stranger === null ? made : taken(made, place.stranger);
}

/** The index is missing, and a key that nothing declares stands under its name: it goes when the index is ready. */
function displacing(work: Work, squatter: KeyConstraintShape): Change {
  const { context, target, online, twin, place } = work;
  const builds = twin === null;
  const reason = 'a constraint that nothing declares stands under its name';
  const made = change({
    ...baseOf(work),
    action: 'rebuild-index',
    reason: builds ? reason : `${reason}, and its definition under the name "${twin.name}"`,
    hazards: builds && online ? ['INDEX_DROPPED', 'INDEX_BUILD'] : ['INDEX_DROPPED'],
    assumptions: builds ? emptiness(work) : [],
    frees: builds ? clearedNames(place) : [twin.name],
    steps: [
      ...clearing(place, target.table),
      ...settingTwin(work),
      ...(builds ? [build(target, target.temporaryNew, online)] : []),
      exclusively(target.table, dropConstraint(target.table, squatter.name)),
      rename(target, builds ? target.temporaryNew : twin.name, target.name),
    ],
  });
  const spared = sparingNeeded(made, squatter, context);
  return place.stranger === null ? buildable(spared, work) : taken(spared, place.stranger);
}

/** The index is missing, and another one of its definition becomes it. */
function renamed(work: Work, twin: IndexShape): Change {
  const { desired, target, settings } = work;
  return change({
    ...baseOf(work),
    action: 'rename-index',
    reason: withSettings(`its definition stands under the name "${twin.name}"`, settings),
    takes: [{ name: desired.name, of: 'index' }],
    frees: [twin.name],
    steps: [...settingTwin(work), rename(target, twin.name, target.name)],
  });
}

/** The index is missing. */
function created(work: Work): Change {
  const { desired, of, context, target, online, place } = work;
  // What was there of its name is gone before this: with a column that is replaced.
  const lost =
    [...of.actual.indexes, ...of.owned.map((owned) => owned.index)].find((index) => index.name === desired.name) ??
    null;
  const buildHazards: readonly Hazard[] = lost === null ? ['INDEX_BUILD'] : ['INDEX_BUILD', 'INDEX_ABSENT_MEANWHILE'];
  const made = change({
    ...baseOf(work),
    action: 'create-index',
    reason: lost === null ? 'missing' : 'goes with its column, which is replaced',
    assumptions: emptiness(work),
    hazards: [...(online ? buildHazards : []), ...hazardsOf(place, online)],
    takes: [{ name: desired.name, of: 'index' }],
    frees: clearedNames(place),
    steps: [...clearing(place, target.table), ...buildSteps(target, online)],
  });
  return place.stranger === null ? buildable(asSwitch(made, lost, context, true), work) : taken(made, place.stranger);
}

/** Out of the way first, in the transaction that counts its rows again: a drop that is under way would not notice more. */
function unworthy(desired: DesiredIndex, of: TableIndexes, context: DiffContext): Change {
  const table = of.desired.name;
  const target = indexTarget(desired, table);
  const at = { name: table, phase: desired.phase };
  return {
    ...droppedIndex(desired.name, 'too few rows to be worth its cost', at, context),
    assumptions: [{ kind: 'few-rows', table, where: target.definition.where, below: desired.worthRows?.keep ?? 0 }],
    steps: [rename(target, target.name, target.temporaryOld), drop(target, target.temporaryOld)],
  };
}

const settingTwin = ({ twin, target, settings }: Work): readonly Step[] =>
  twin === null ? [] : setting(target.table, twin.name, settings);

/** The same change, refused or put off where the index that it builds cannot be built. */
const buildable = (made: Change, { twin, desired, of, context }: Work): Change =>
  twin !== null || made.status === 'blocked' ? made : refuseBuild(made, desired, of, context);

/** That the table holds no rows, where a build goes by it. */
const emptiness = ({ online, target: { table } }: Work): readonly Assumption[] =>
  online ? [] : [{ kind: 'no-rows', table }];

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

/** What every change that puts an index in place says of it. */
function baseOf({ desired, target: { table }, context }: Work) {
  const plain = desired.keys.flatMap((item) => item.column ?? []);
  const isKey = desired.unique && desired.where === null && plain.length === desired.keys.length;
  return {
    phase: desired.phase,
    table,
    object: desired.name,
    provides: [
      key.index(table, desired.name),
      key.built(desired.phase, table),
      ...(isKey ? [key.unique(table, plain)] : []),
    ],
    needs: [
      key.table(table),
      key.cleared(table),
      ...indexedColumns(desired, context).map((column) => key.column(table, column)),
    ],
  };
}

function indexTarget(desired: DesiredIndex, table: string): IndexTarget {
  const where = desired.where === null ? null : relativeSql(desired.where);
  const definition = indexDefinition(table, desired, where);
  const identity = JSON.stringify(definition);
  return {
    table,
    definition,
    name: desired.name,
    temporaryNew: temporaryName('new', desired.name, identity),
    temporaryOld: temporaryName('old', desired.name, identity),
  };
}
