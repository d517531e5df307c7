import type { DesiredConstraint } from '../desired-state/model.js';
import { type ConstraintShape, isKey, type TableShape } from '../shape/table-shape.js';
import { addConstraint, addConstraintUsingIndex } from '../sql/ddl/constraint.js';
import { type Change, change } from './change.js';
import { indexNames } from './constraint-facets.js';
import { added, dropped, keyIndexName, successionSteps, uniqueBuild, validation } from './constraint-steps.js';
import type { DiffContext } from './context.js';
import { builtKey, type ConstraintBase } from './key-constraints.js';
import { sparingNeeded } from './referenced-keys.js';
import { exclusively } from './step.js';

/** The state of a table's constraints. */
export interface TableConstraints {
  readonly table: string;
  readonly actual: TableShape;
  readonly replaced: ReadonlySet<string>;
  /** Constraints that no declaration has claimed so far, and that do not go with a column. */
  readonly spare: Map<string, ConstraintShape>;
  readonly adopted: Set<string>;
}

/** A constraint that is made anew. */
export function addition(
  base: ConstraintBase,
  wanted: DesiredConstraint,
  of: TableConstraints,
  context: DiffContext,
): Change {
  const { table } = base;
  const reason = 'missing';
  const built = builtKey(wanted, of, context);
  if (built !== null) {
    of.adopted.add(built.name);
    return change({
      ...base,
      action: 'add-constraint',
      reason: 'missing; an interrupted run has built its index',
      steps: [exclusively(table, addConstraintUsingIndex(table, built.key, built.name))],
    });
  }
  if (context.facts.rows(table) === 'none')
    return change({
      ...base,
      action: 'add-constraint',
      reason,
      assumptions: [{ kind: 'no-rows', table }],
      steps: [added(table, wanted, addConstraint(table, wanted))],
    });
  if (isKey(wanted)) {
    const index = keyIndexName(wanted);
    return change({
      ...base,
      action: 'add-constraint',
      reason,
      hazards: ['INDEX_BUILD'],
      steps: [uniqueBuild(table, wanted, index), exclusively(table, addConstraintUsingIndex(table, wanted, index))],
    });
  }
  return change({
    ...base,
    action: 'add-constraint',
    reason,
    hazards: ['TABLE_SCAN'],
    steps: [
      added(table, wanted, addConstraint(table, wanted, true)),
      { ...validation(table, wanted), undo: [dropped(table, wanted)] },
    ],
  });
}

/** A constraint that takes the place of another one, unless that is needed. */
export function replacement(...by: Parameters<typeof replaced>): Change {
  const [, , existing, , , context] = by;
  const made = replaced(...by);
  return isKey(existing) ? sparingNeeded(made, existing, context) : made;
}

function replaced(
  base: ConstraintBase,
  wanted: DesiredConstraint,
  existing: ConstraintShape,
  reason: string,
  of: TableConstraints,
  context: DiffContext,
): Change {
  const { table } = base;
  const away = dropped(table, existing);
  const empty = context.facts.rows(table) === 'none';
  const common = { ...base, action: 'replace-constraint' as const, reason, frees: indexNames(existing) };
  const atOnce = change({ ...common, steps: [away, added(table, wanted, addConstraint(table, wanted))] });
  const built = builtKey(wanted, of, context);
  if (built !== null) {
    of.adopted.add(built.name);
    const use = exclusively(table, addConstraintUsingIndex(table, built.key, built.name));
    return change({ ...common, hazards: ['INDEX_DROPPED'], steps: [away, use] });
  }
  if (empty) return { ...atOnce, assumptions: [{ kind: 'no-rows', table }] };
  if (isKey(wanted)) {
    const index = keyIndexName(wanted);
    // The old key enforces until the new one is built: there is no moment without either.
    const steps = [
      uniqueBuild(table, wanted, index),
      away,
      exclusively(table, addConstraintUsingIndex(table, wanted, index)),
    ];
    return change({ ...common, hazards: ['INDEX_BUILD', 'INDEX_DROPPED'], steps });
  }
  return change({
    ...common,
    hazards: ['TABLE_SCAN'],
    steps: successionSteps(table, wanted, existing),
  });
}
