import type { DesiredIndex, DesiredTable } from '../desired-state/model.js';
import type { ConstraintShape, IndexShape, KeyConstraintShape, TableShape } from '../shape/table-shape.js';
import { dropConstraint } from '../sql/ddl/constraint.js';
import { name, relativeSql } from '../sql/template.js';
import { asSwitch } from './backend-switch.js';
import { refuseBuild } from './build-refusal.js';
import { type Change, change, type Hazard, key } from './change.js';
import { type DiffContext, isTemporary, type OwnedIndex } from './context.js';
import { definitionDifference, predicateDifference } from './index-difference.js';
import {
  build,
  buildSteps,
  drop,
  type IndexTarget,
  indexDefinition,
  rebuildSteps,
  rename,
  swapSteps,
} from './index-steps.js';
import { matchesLike } from './like.js';
import { clearedNames, clearing, FREE, hazardsOf, placeOf, taken } from './one-per-table.js';
import { owningPhase } from './ownership.js';
import { sparingReferenced } from './referenced-keys.js';
import { sparingIdentity } from './replica-identity.js';
import { temporaryName } from './temporary-name.js';

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

/** Every change that a table's declared indexes need, and the drops of owned ones that nothing declares. */
export function diffIndexes(of: TableIndexes, context: DiffContext): readonly Change[] {
  const survivors = [...of.actual.indexes, ...of.owned.map((owned) => owned.index)].filter(
    (index) => !of.adopted.has(index.name) && !usesReplaced(index, of.replaced, context),
  );
  const declared = new Set(of.desired.indexes.map((index) => index.name));
  const byName = new Map(survivors.map((index) => [index.name, index]));
  const spare = new Map(survivors.filter((index) => !declared.has(index.name)).map((index) => [index.name, index]));
  const changes: Change[] = [];
  for (const desired of of.desired.indexes) {
    const made = diffIndex(desired, byName.get(desired.name) ?? null, spare, of, context);
    if (made !== null) changes.push(sparing(made, byName));
  }
  for (const index of spare.values()) {
    const unexpected = unexpectedIndex(index, of, context);
    if (unexpected !== null) changes.push(sparing(unexpected, byName));
  }
  return changes;
}

/** Everything but a deferred change that is about an index which is there drops it. */
function sparing(made: Change, byName: ReadonlyMap<string, IndexShape>): Change {
  const index = byName.get(made.object);
  return index === undefined || made.status === 'deferred' ? made : sparingIdentity(made, index);
}

/** Whether an index goes with the columns that are replaced. */
export function usesReplaced(index: IndexShape, replaced: ReadonlySet<string>, context: DiffContext): boolean {
  return replaced.size > 0 && indexedColumns(index, context).some((column) => replaced.has(column));
}

/** Every column that an index stands on: by keys, expressions, predicate, and those that it includes. */
export function indexedColumns(
  index: Pick<DesiredIndex, 'keys' | 'include' | 'where'>,
  context: Pick<DiffContext, 'facts'>,
): readonly string[] {
  const expressions = [...index.keys.map((item) => item.expression), index.where];
  return [
    ...index.keys.flatMap((item) => item.column ?? []),
    ...index.include,
    ...expressions.flatMap((text) => (text === null ? [] : context.facts.columnsOf(text))),
  ];
}

function diffIndex(
  desired: DesiredIndex,
  actual: IndexShape | null,
  spare: Map<string, IndexShape>,
  of: TableIndexes,
  context: DiffContext,
): Change | null {
  const { table, base } = facets(desired, of, context);
  const present = actual === null ? null : difference(desired, actual, of, context);
  const policy = rowPolicy(desired, actual !== null, of, context);
  if (policy === 'leave') return null;
  if (policy === 'drop' && actual !== null) return asSwitch(unworthy(desired, of, context), actual, context);
  if (actual !== null && present === null && actual.valid) return null;
  const rows = context.facts.rows(table);
  const target = indexTarget(desired, table);
  const online = rows !== 'none';
  const assumptions = online ? [] : [{ kind: 'no-rows' as const, table }];

  const twin = [...spare.values()].find(
    (index) =>
      index.valid &&
      (isTemporary(index.name) || (actual === null && owningPhase(index, context)?.name === desired.phase)) &&
      difference(desired, index, of, context) === null,
  );
  // Claimed: what is renamed into place is no longer unexpected, and serves one declaration only.
  if (twin !== undefined) spare.delete(twin.name);
  const place = twin === undefined ? placeOf(desired, spare, context) : FREE;

  if (actual === null) {
    const squatter = of.unclaimed.find(
      (constraint): constraint is KeyConstraintShape =>
        constraint.name === desired.name &&
        'include' in constraint &&
        ![...constraint.columns, ...constraint.include].some((column) => of.replaced.has(column)),
    );
    if (twin !== undefined && squatter !== undefined)
      return displacing(
        squatter,
        change({
          ...base,
          action: 'rebuild-index',
          reason: `a constraint that nothing declares stands under its name, and its definition under the name "${twin.name}"`,
          hazards: ['INDEX_DROPPED'],
          frees: [twin.name],
          steps: [
            {
              sql: dropConstraint(table, squatter.name),
              mode: 'transaction',
              lock: { mode: 'ACCESS EXCLUSIVE', table },
            },
            rename({ table }, name(twin.name), target.name),
          ],
        }),
        of,
        context,
      );
    if (twin !== undefined)
      return change({
        ...base,
        action: 'rename-index',
        reason: `its definition stands under the name "${twin.name}"`,
        takes: [{ name: desired.name, of: 'index' }],
        frees: [twin.name],
        steps: [rename({ table }, name(twin.name), name(desired.name))],
      });
    if (squatter !== undefined) {
      const displaced = displacing(
        squatter,
        change({
          ...base,
          action: 'rebuild-index',
          reason: 'a constraint that nothing declares stands under its name',
          hazards: online ? ['INDEX_DROPPED', 'INDEX_BUILD'] : ['INDEX_DROPPED'],
          assumptions,
          frees: clearedNames(place),
          steps: [
            ...clearing(place, table),
            build(target, target.temporaryNew, null, online),
            {
              sql: dropConstraint(table, squatter.name),
              mode: 'transaction',
              lock: { mode: 'ACCESS EXCLUSIVE', table },
            },
            rename({ table }, target.temporaryNew, target.name),
          ],
        }),
        of,
        context,
      );
      if (place.stranger !== null) return taken(displaced, place.stranger);
      return displaced.status === 'blocked' ? displaced : refuseBuild(displaced, desired, of, context);
    }
    const lost = [...of.actual.indexes, ...of.owned.map((owned) => owned.index)].find(
      (index) => index.name === desired.name,
    );
    const buildHazards: Hazard[] = lost !== undefined ? ['INDEX_BUILD', 'INDEX_ABSENT_MEANWHILE'] : ['INDEX_BUILD'];
    const created = change({
      ...base,
      action: 'create-index',
      reason: lost !== undefined ? 'goes with its column, which is replaced' : 'missing',
      assumptions,
      hazards: [...(online ? buildHazards : []), ...hazardsOf(place, online)],
      takes: [{ name: desired.name, of: 'index' }],
      frees: clearedNames(place),
      steps: [...clearing(place, table), ...buildSteps(target, online)],
    });
    if (place.stranger !== null) return taken(created, place.stranger);
    const switched = asSwitch(created, lost ?? null, context, true);
    return switched.status === 'blocked' ? switched : refuseBuild(switched, desired, of, context);
  }
  if (!actual.valid && present === null && twin === undefined) {
    const repaired = change({
      ...base,
      action: 'rebuild-index',
      reason: INVALID,
      assumptions,
      hazards: [...(online ? (['INDEX_BUILD'] as const) : []), ...hazardsOf(place, online)],
      frees: clearedNames(place),
      steps: [...clearing(place, table), ...rebuildSteps(target, { online, dropFirst: true })],
    });
    return place.stranger === null ? repaired : taken(repaired, place.stranger);
  }
  // Where its successor stands already, nothing is built, and the index serves until the swap.
  const builds = twin === undefined;
  const dropFirst = !actual.valid || desired.onePerTable;
  const hazards: Hazard[] = ['INDEX_DROPPED'];
  if (builds && online) hazards.push('INDEX_BUILD');
  if (builds && dropFirst && actual.valid) hazards.push('INDEX_ABSENT_MEANWHILE');
  const rebuilt = change({
    ...base,
    action: 'rebuild-index',
    reason: present === null ? INVALID : `${present}${actual.valid ? '' : ', and INVALID'}`,
    assumptions: builds ? assumptions : [],
    hazards,
    frees: clearedNames(place),
    steps: [
      ...clearing(place, table),
      ...(twin === undefined ? rebuildSteps(target, { online, dropFirst }) : swapSteps(target, name(twin.name))),
    ],
  });
  if (place.stranger !== null) return taken(rebuilt, place.stranger);
  const switched = asSwitch(rebuilt, actual, context);
  return switched.status === 'blocked' || !builds ? switched : refuseBuild(switched, desired, of, context);
}

const INVALID =
  'is INVALID: the leftover of a build that failed or was interrupted; no query uses it, every write maintains it';

/** A key that nothing declares goes for the index of its name, unless something else stands on it. */
const displacing = (key: KeyConstraintShape, made: Change, of: TableIndexes, context: DiffContext): Change =>
  sparingReferenced(sparingIdentity(made, key), key, of.actual, context);

/** Rows that make an index worth its cost: below `build` none is made, below `keep` it goes. */
function rowPolicy(
  desired: DesiredIndex,
  present: boolean,
  of: TableIndexes,
  context: DiffContext,
): 'build' | 'leave' | 'drop' {
  if (desired.worthRows === null || desired.worthRows.build === 0) return 'build';
  const { build, keep } = desired.worthRows;
  const found = context.facts.count(of.desired.name, desired.where, build);
  if (found === null || found >= build) return 'build';
  if (!present) return 'leave';
  return found < keep ? 'drop' : 'build';
}

function difference(desired: DesiredIndex, actual: IndexShape, of: TableIndexes, context: DiffContext): string | null {
  return (
    definitionDifference(desired, actual, of.actual, context) ??
    predicateDifference(desired.where, actual.where, of.actual, context)
  );
}

/** An index that nothing declares: dropped when a selected phase owns it or when it is trueup's own leftover. */
export function unexpectedIndex(
  index: IndexShape,
  of: Pick<TableIndexes, 'desired'>,
  context: DiffContext,
): Change | null {
  if (isTemporary(index.name))
    return {
      ...dropped(of.desired.phase, index.name, 'leftover of an interrupted run', of, context),
      needs: [],
      provides: [key.cleared(of.desired.name)],
    };
  const phase = owningPhase(index, context);
  if (phase === null || !phase.selected) return null;
  if (phase.keep.some((pattern) => matchesLike(index.name, pattern))) return null;
  const reason = `owned by phase ${phase.name}, absent from the desired state`;
  return asSwitch(dropped(phase.name, index.name, reason, of, context), index, context);
}

function dropped(
  phase: string,
  index: string,
  reason: string,
  of: Pick<TableIndexes, 'desired'>,
  context: DiffContext,
): Change {
  const table = of.desired.name;
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
    steps: [drop({ table }, name(index))],
  });
}

/** Out of the way first, in the transaction that counts its rows again: a drop that is under way would not notice more. */
function unworthy(desired: DesiredIndex, of: TableIndexes, context: DiffContext): Change {
  const table = of.desired.name;
  const target = indexTarget(desired, table);
  const made = dropped(desired.phase, desired.name, 'too few rows to be worth its cost', of, context);
  return {
    ...made,
    assumptions: [{ kind: 'few-rows', table, where: target.definition.where, below: desired.worthRows?.keep ?? 0 }],
    steps: [rename({ table }, target.name, target.temporaryOld), drop({ table }, target.temporaryOld)],
  };
}

function facets(desired: DesiredIndex, of: TableIndexes, context: DiffContext) {
  const table = of.desired.name;
  const unique =
    desired.unique && desired.where === null && desired.keys.every((item) => item.column !== null)
      ? [
          key.unique(
            table,
            desired.keys.flatMap((item) => item.column ?? []),
          ),
        ]
      : [];
  const base = {
    phase: desired.phase,
    table,
    object: desired.name,
    provides: [key.index(table, desired.name), key.built(desired.phase, table), ...unique],
    needs: [
      key.table(table),
      key.cleared(table),
      ...indexedColumns(desired, context).map((column) => key.column(table, column)),
    ],
  };
  return { table, base };
}

function indexTarget(desired: DesiredIndex, table: string): IndexTarget {
  const where = desired.where === null ? null : relativeSql(desired.where);
  const definition = indexDefinition(table, desired, where);
  const identity = JSON.stringify(definition);
  return {
    table,
    definition,
    name: name(desired.name),
    fixedName: desired.name,
    temporaryNew: name(temporaryName('new', desired.name, identity)),
    temporaryOld: name(temporaryName('old', desired.name, identity)),
  };
}
