import type { DesiredConstraint } from '../desired-state/model.js';
import { type ConstraintShape, isKey } from '../shape/table-shape.js';
import { addConstraint, addConstraintUsingIndex } from '../sql/ddl/constraint.js';
import { type Change, change } from './change.js';
import { indexNames } from './constraint-facets.js';
import { added, dropped, keyIndexName, successionSteps, uniqueBuild, validation } from './constraint-steps.js';
import { builtKey, type ConstraintBase, type KeySite } from './key-constraints.js';
import { sparingNeeded } from './referenced-keys.js';
import { exclusively } from './step.js';

/** The state of a table's constraints. */
export interface TableConstraints extends KeySite {
  readonly table: string;
  /** Constraints that no declaration has claimed so far, and that do not go with a column. */
  readonly spare: Map<string, ConstraintShape>;
}

/** A constraint that is made anew. */
export function addition(base: ConstraintBase, wanted: DesiredConstraint, of: TableConstraints): Change {
  const { table } = base;
  const missing = { ...base, action: 'add-constraint' as const, reason: 'missing' };
  const built = builtKey(wanted, of);
  if (built !== null) {
    of.adopted.add(built.name);
    return change({
      ...missing,
      reason: 'missing; an interrupted run has built its index',
      steps: [exclusively(table, addConstraintUsingIndex(table, built.key, built.name))],
    });
  }
  if (of.context.facts.rows(table) === 'none')
    return change({
      ...missing,
      assumptions: [{ kind: 'no-rows', table }],
      steps: [added(table, wanted, addConstraint(table, wanted))],
    });
  if (isKey(wanted)) {
    const index = keyIndexName(wanted);
    return change({
      ...missing,
      hazards: ['INDEX_BUILD'],
      steps: [uniqueBuild(table, wanted, index), exclusively(table, addConstraintUsingIndex(table, wanted, index))],
    });
  }
  return change({
    ...missing,
    hazards: ['TABLE_SCAN'],
    steps: [
      added(table, wanted, addConstraint(table, wanted, true)),
      { ...validation(table, wanted), undo: [dropped(table, wanted)] },
    ],
  });
}

/** A constraint that takes the place of another one, unless that is needed. */
export function replacement(
  base: ConstraintBase,
  wanted: DesiredConstraint,
  existing: ConstraintShape,
  reason: string,
  of: TableConstraints,
): Change {
  const made = replaced({ ...base, reason }, wanted, existing, of);
  return isKey(existing) ? sparingNeeded(made, existing, of.context) : made;
}

function replaced(
  base: ConstraintBase & Pick<Change, 'reason'>,
  wanted: DesiredConstraint,
  existing: ConstraintShape,
  of: TableConstraints,
): Change {
  const { table } = base;
  const away = dropped(table, existing);
  const empty = of.context.facts.rows(table) === 'none';
  const common = { ...base, action: 'replace-constraint' as const, frees: indexNames(existing) };
  const atOnce = change({ ...common, steps: [away, added(table, wanted, addConstraint(table, wanted))] });
  const built = builtKey(wanted, of);
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
