import type { DesiredConstraint } from '../desired-state/model.js';
import { type ConstraintShape, isKey } from '../shape/table-shape.js';
import { addConstraint } from '../sql/ddl/constraint.js';
import { type Change, change } from './change.js';
import { indexNames } from './constraint-facets.js';
import { added, dropped, keySteps, successionSteps, validation } from './constraint-steps.js';
import { adoptBuilt, type ConstraintBase, type KeySite } from './key-constraints.js';
import { sparingNeeded } from './referenced-keys.js';

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
  const adopting = adoptBuilt(wanted, of);
  if (adopting !== null)
    return change({ ...missing, reason: 'missing; an interrupted run has built its index', steps: [adopting] });
  if (of.context.facts.rows(table) === 'none')
    return change({
      ...missing,
      assumptions: [{ kind: 'no-rows', table }],
      steps: [added(table, wanted, addConstraint(table, wanted))],
    });
  if (isKey(wanted)) return change({ ...missing, hazards: ['INDEX_BUILD'], steps: keySteps(table, wanted) });
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
  const common = { ...base, action: 'replace-constraint' as const, frees: indexNames(existing) };
  const adopting = adoptBuilt(wanted, of);
  if (adopting !== null) return change({ ...common, hazards: ['INDEX_DROPPED'], steps: [away, adopting] });
  if (of.context.facts.rows(table) === 'none')
    return change({
      ...common,
      assumptions: [{ kind: 'no-rows', table }],
      steps: [away, added(table, wanted, addConstraint(table, wanted))],
    });
  if (isKey(wanted))
    return change({ ...common, hazards: ['INDEX_BUILD', 'INDEX_DROPPED'], steps: keySteps(table, wanted, [away]) });
  return change({ ...common, hazards: ['TABLE_SCAN'], steps: successionSteps(table, wanted, existing) });
}
