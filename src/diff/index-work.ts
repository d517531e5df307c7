import type { DesiredIndex } from '../desired-state/model.js';
import type { IndexShape, KeyConstraintShape } from '../shape/table-shape.js';
import { dropConstraint } from '../sql/ddl/constraint.js';
import { relativeSql } from '../sql/template.js';
import { temporaryName } from '../sql/temporary-name.js';
import { asSwitch } from './backend-switch.js';
import { type BuildSite, refuseBuild } from './build-refusal.js';
import { type Assumption, type Change, change, type Hazard, key } from './change.js';
import type { DiffContext } from './context.js';
import { INVALID } from './index-difference.js';
import { type Setting, withSettings } from './index-options.js';
import { build, type IndexTarget, indexDefinition, rebuildSteps, rename, swapSteps } from './index-steps.js';
import { indexedColumns } from './indexed-columns.js';
import { clearedNames, hazardsOf, type Place, taken } from './one-per-table.js';
import { sparingNeeded } from './referenced-keys.js';
import { exclusively, type Step } from './step.js';

/** An index that has to be put in place, and what there is to do it with. */
export interface IndexWork {
  readonly desired: DesiredIndex;
  readonly of: BuildSite;
  readonly context: DiffContext;
  readonly table: string;
  readonly target: IndexTarget;
  /** Whether the table may hold rows: the index is built while others write them. */
  readonly online: boolean;
  /** A valid index of its definition under another name, which takes its place: nothing is built then. */
  readonly twin: IndexShape | null;
  /** Options that the twin takes on before it does so. */
  readonly settings: readonly Setting[];
  /** What stands in the way of a build, of a method that permits one index on a table. */
  readonly place: Place;
  /** What is done before all else: the twin's options are set, or the place is cleared. */
  readonly first: readonly Step[];
}

/** The index is there, and differs or has a successor. */
export function rebuilt(work: IndexWork, actual: IndexShape, difference: string | null): Change {
  const { desired, context, target, online, twin, place, first } = work;
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
    assumptions: emptiness(work),
    hazards,
    frees: clearedNames(place),
    steps: [...first, ...(twin === null ? rebuildSteps(target, { online, dropFirst }) : swapSteps(target, twin.name))],
  });
  return place.stranger === null ? buildable(asSwitch(made, actual, context), work) : taken(made, place.stranger);
}

/** The index is there as declared, but INVALID. */
export function repaired(work: IndexWork): Change {
  const { target, online, place, first } = work;
  const made = change({
    ...baseOf(work),
    action: 'rebuild-index',
    reason: INVALID,
    assumptions: emptiness(work),
    hazards: [...(online ? (['INDEX_BUILD'] as const) : []), ...hazardsOf(place, online)],
    frees: clearedNames(place),
    steps: [...first, ...rebuildSteps(target, { online, dropFirst: true })],
  });
  return place.stranger === null ? made : taken(made, place.stranger);
}

/** The index is missing, and a key that nothing declares stands under its name: it goes when the index is ready. */
export function displacing(work: IndexWork, squatter: KeyConstraintShape): Change {
  const { desired, context, table, target, online, twin, place, first } = work;
  const builds = twin === null;
  const reason = 'a constraint that nothing declares stands under its name';
  const made = change({
    ...baseOf(work),
    action: 'rebuild-index',
    reason: builds ? reason : `${reason}, and its definition under the name "${twin.name}"`,
    hazards: builds && online ? ['INDEX_DROPPED', 'INDEX_BUILD'] : ['INDEX_DROPPED'],
    assumptions: emptiness(work),
    frees: builds ? clearedNames(place) : [twin.name],
    steps: [
      ...first,
      ...(builds ? [build(target.definition, target.temporaryNew, online)] : []),
      exclusively(table, dropConstraint(table, squatter.name)),
      rename(table, builds ? target.temporaryNew : twin.name, desired.name),
    ],
  });
  const spared = sparingNeeded(made, squatter, context);
  return place.stranger === null ? buildable(spared, work) : taken(spared, place.stranger);
}

/** The index is missing, and another one of its definition becomes it. */
export function renamed(work: IndexWork, twin: IndexShape): Change {
  const { desired, table, settings, first } = work;
  return change({
    ...baseOf(work),
    action: 'rename-index',
    reason: withSettings(`its definition stands under the name "${twin.name}"`, settings),
    takes: [{ name: desired.name, of: 'index' }],
    frees: [twin.name],
    steps: [...first, rename(table, twin.name, desired.name)],
  });
}

/** The index is missing. @param lost what is there of its name and goes before this, with a column that is replaced */
export function created(work: IndexWork, lost: IndexShape | null): Change {
  const { desired, context, target, online, place, first } = work;
  const buildHazards: readonly Hazard[] = lost === null ? ['INDEX_BUILD'] : ['INDEX_BUILD', 'INDEX_ABSENT_MEANWHILE'];
  const made = change({
    ...baseOf(work),
    action: 'create-index',
    reason: lost === null ? 'missing' : 'goes with its column, which is replaced',
    assumptions: emptiness(work),
    hazards: [...(online ? buildHazards : []), ...hazardsOf(place, online)],
    takes: [{ name: desired.name, of: 'index' }],
    frees: clearedNames(place),
    steps: [...first, build(target.definition, desired.name, online)],
  });
  return place.stranger === null ? buildable(asSwitch(made, lost, context, true), work) : taken(made, place.stranger);
}

/** The same change, refused or put off where the index that it builds cannot be built. */
const buildable = (made: Change, { twin, desired, of, context }: IndexWork): Change =>
  twin !== null || made.status === 'blocked' ? made : refuseBuild(made, desired, of, context);

/** That the table holds no rows, where a build goes by it. */
const emptiness = ({ online, twin, table }: IndexWork): readonly Assumption[] =>
  online || twin !== null ? [] : [{ kind: 'no-rows', table }];

/** What every change that puts an index in place says of it. */
function baseOf({ desired, table, context }: IndexWork) {
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

/** A declared index, and the names that it has on its way. */
export function indexTarget(desired: DesiredIndex, table: string): IndexTarget {
  const where = desired.where === null ? null : relativeSql(desired.where);
  const definition = indexDefinition(table, desired, where);
  const identity = JSON.stringify(definition);
  return {
    definition,
    name: desired.name,
    temporaryNew: temporaryName('new', desired.name, identity),
    temporaryOld: temporaryName('old', desired.name, identity),
  };
}
