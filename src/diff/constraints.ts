import type { DesiredConstraint, DesiredTable } from '../desired-state/model.js';
import { type ConstraintShape, type IndexShape, isKey, type TableShape } from '../shape/table-shape.js';
import { renameConstraint } from '../sql/ddl/constraint.js';
import { isTemporary } from '../sql/temporary-name.js';
import { type Change, change, key } from './change.js';
import { constraintDifference } from './constraint-difference.js';
import { constrainedColumns, constraintFacets, goesWithColumns, indexNames } from './constraint-facets.js';
import { dropped, type KeyConstraint, lastOfSuccession, predecessorName, validation } from './constraint-steps.js';
import type { DiffContext } from './context.js';
import { drop } from './index-steps.js';
import { usesReplaced } from './indexed-columns.js';
import { withoutInherited } from './inherited.js';
import { type ConstraintBase, claim } from './key-constraints.js';
import { addition, replacement, type TableConstraints } from './made-constraint.js';
import { rivalOf, without } from './one-primary-key.js';
import { sparingNeeded } from './referenced-keys.js';
import { ontoShared } from './shared-references.js';
import { exclusively } from './step.js';

/** What a table's constraints need. */
export interface ConstraintDiff {
  readonly changes: readonly Change[];
  /** Indexes that become theirs: nothing else may rename or drop those. */
  readonly adopted: ReadonlySet<string>;
  /** Constraints that no declaration claims. */
  readonly unclaimed: readonly ConstraintShape[];
}

/**
 * Every change that a table's declared constraints need. `replaced` columns take the constraints over them along.
 * Constraints that nothing declares are left alone, but for the checks of an interrupted run.
 */
export function diffConstraints(
  desired: DesiredTable,
  actual: TableShape,
  replaced: ReadonlySet<string>,
  context: DiffContext,
): ConstraintDiff {
  const declared = new Set(desired.constraints.map((constraint) => constraint.name));
  const byName = new Map(actual.constraints.map((constraint) => [constraint.name, constraint]));
  const undeclared = actual.constraints.filter(
    (one) => !declared.has(one.name) && !goesWithColumns(one, replaced, context),
  );
  const spare = new Map(withoutInherited(undeclared, actual, context).map((one) => [one.name, one]));
  const of: TableConstraints = { table: desired.name, actual, replaced, spare, adopted: new Set(), context };
  const changes: Change[] = [];
  for (const constraint of desired.constraints) {
    const made = diffConstraint(of, constraint, byName.get(constraint.name) ?? null);
    if (made !== null) changes.push(ontoShared(made, desired, context));
  }
  for (const constraint of spare.values()) {
    if (isTemporary(constraint.name))
      changes.push(
        ontoShared(
          change({
            phase: desired.phase,
            action: 'replace-constraint',
            table: desired.name,
            object: constraint.name,
            reason: 'leftover of an interrupted run',
            provides: [key.cleared(desired.name)],
            steps: [dropped(desired.name, constraint)],
          }),
          desired,
          context,
        ),
      );
  }
  return { changes, adopted: of.adopted, unclaimed: [...spare.values()] };
}

function diffConstraint(
  of: TableConstraints,
  wanted: DesiredConstraint,
  existing: ConstraintShape | null,
): Change | null {
  const { actual, replaced, context } = of;
  const rival = rivalOf(wanted, actual);
  const base = baseOf(wanted, existing, rival, of);
  const unclaimed = rival !== undefined && of.spare.delete(rival.name) ? rival : undefined;
  if (existing === null) return missing(base, wanted, unclaimed, of);
  if (goesWithColumns(existing, replaced, context))
    return without(unclaimed, claimedOrAdded(base, wanted, squatterOf(wanted, of), of), context);
  const difference = constraintDifference(wanted, existing, actual, context);
  if (difference !== null) return without(unclaimed, replacement(base, wanted, existing, difference, of), context);
  return existing.validated ? null : validated(base, wanted, of);
}

/**
 * What every change of a constraint says of it. A primary key needs the table's other one gone, where that goes with a column or
 * by a change of its own: a table has one.
 */
function baseOf(
  wanted: DesiredConstraint,
  existing: ConstraintShape | null,
  rival: ConstraintShape | undefined,
  { table, replaced, spare, context }: TableConstraints,
): ConstraintBase {
  const { provides, needs, takes } = constraintFacets(table, wanted, context);
  const isOneNoMore = existing?.kind === 'primary-key' && wanted.kind !== 'primary-key';
  const columns = rival === undefined ? [] : constrainedColumns(rival, context);
  const goes = columns.some((column) => replaced.has(column))
    ? columns.map((column) => key.column(table, column))
    : rival !== undefined && !spare.has(rival.name)
      ? [key.noPrimaryKey(table)]
      : [];
  return {
    phase: wanted.phase,
    table,
    object: wanted.name,
    takes,
    provides: isOneNoMore ? [...provides, key.noPrimaryKey(table)] : provides,
    needs: [...needs, ...goes],
  };
}

/**
 * What nothing stands under the name of: it may stand under another.
 * @param rival the table's primary key, where the declared one takes its place
 */
function missing(
  base: ConstraintBase,
  wanted: DesiredConstraint,
  rival: ConstraintShape | undefined,
  of: TableConstraints,
): Change {
  const { actual, context } = of;
  const squatter = squatterOf(wanted, of);
  const twin = [...(rival === undefined ? of.spare.values() : [rival])].find(
    (other) => constraintDifference(wanted, other, actual, context) === null,
  );
  if (twin !== undefined) {
    of.spare.delete(twin.name);
    return withRoom(renamed(base, wanted, twin), squatter, of);
  }
  if (rival === undefined) return claimedOrAdded(base, wanted, squatter, of);
  const difference = constraintDifference(wanted, rival, actual, context) ?? 'has another name';
  return withRoom(replacement(base, wanted, rival, `"${rival.name}" ${difference}`, of), squatter, of);
}

/** Made of the index that stands under its name, where one does; else anew. */
function claimedOrAdded(
  base: ConstraintBase,
  wanted: DesiredConstraint,
  squatter: IndexShape | undefined,
  of: TableConstraints,
): Change {
  if (squatter === undefined) return addition(base, wanted, of);
  of.adopted.add(squatter.name);
  return claim(base, wanted as KeyConstraint, squatter, of);
}

/** The index that stands under a key's name. */
const squatterOf = (wanted: DesiredConstraint, { actual, replaced, context }: TableConstraints) =>
  isKey(wanted)
    ? actual.indexes.find((index) => index.name === wanted.name && !usesReplaced(index, replaced, context))
    : undefined;

function renamed(base: ConstraintBase, wanted: DesiredConstraint, twin: ConstraintShape): Change {
  const { table } = base;
  const isUnchecked = !twin.validated;
  return change({
    ...base,
    action: 'rename-constraint',
    reason: `its definition stands under the name "${twin.name}"${isUnchecked ? ', NOT VALID' : ''}`,
    hazards: isUnchecked ? ['TABLE_SCAN'] : [],
    frees: indexNames(twin),
    steps: [
      exclusively(table, renameConstraint(table, twin.name, wanted.name)),
      ...(isUnchecked ? [validation(table, wanted)] : []),
    ],
  });
}

/** It is there as declared, but existing rows were never checked. */
function validated(base: ConstraintBase, wanted: DesiredConstraint, { table, spare }: TableConstraints): Change {
  const predecessor = spare.get(predecessorName(table, wanted));
  if (predecessor !== undefined) {
    spare.delete(predecessor.name);
    return change({
      ...base,
      action: 'replace-constraint',
      reason: 'an interrupted run left it unchecked, and its predecessor under a temporary name',
      hazards: ['TABLE_SCAN'],
      steps: lastOfSuccession(table, wanted, predecessor, wanted.name),
    });
  }
  return change({
    ...base,
    action: 'validate-constraint',
    reason: 'is NOT VALID: existing rows were never checked',
    hazards: ['TABLE_SCAN'],
    steps: [validation(table, wanted)],
  });
}

/** An index that stands under a key's name, while the key itself stands under another, would be in the way of its return. */
function withRoom(
  made: Change,
  squatter: IndexShape | undefined,
  { table, adopted, context }: TableConstraints,
): Change {
  if (squatter === undefined) return made;
  adopted.add(squatter.name);
  const away = drop(table, squatter.name);
  const hazards = [...new Set([...made.hazards, 'INDEX_DROPPED' as const])];
  return sparingNeeded({ ...made, hazards, steps: [away, ...made.steps] }, squatter, context);
}
