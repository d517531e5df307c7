import type { DesiredConstraint } from '../desired-state/model.js';
import { type IndexShape, isKey, type KeyConstraintShape, type TableShape } from '../shape/table-shape.js';
import { type Change, change } from './change.js';
import { type KeyConstraint, keyIndexName, keySteps, takenOver } from './constraint-steps.js';
import type { DiffContext } from './context.js';
import { drop } from './index-steps.js';
import { usesReplaced } from './indexed-columns.js';
import { sparingNeeded } from './referenced-keys.js';
import type { Step } from './step.js';

/** What every change of a constraint says of it. */
export type ConstraintBase = Pick<Change, 'phase' | 'table' | 'object' | 'takes' | 'provides' | 'needs'>;

/**
 * A declared name claims its object: an index that stands under a key's name becomes the key's own when it is what the key
 * would build, and makes room for it when it is not.
 */
export function claim(base: ConstraintBase, wanted: KeyConstraint, index: IndexShape, of: KeySite): Change {
  const { table } = base;
  const { context } = of;
  if (index.valid && isIndexOf(wanted, index))
    return change({
      ...base,
      action: 'add-constraint',
      reason: 'its index is there, without the constraint',
      steps: [takenOver(table, wanted, index.name)],
    });
  const adopting = adoptBuilt(wanted, of);
  if (adopting !== null) {
    const replaced = change({
      ...base,
      action: 'replace-constraint',
      reason: 'an index that is not the constraint’s stands under its name; an interrupted run has built the right one',
      hazards: ['INDEX_DROPPED'],
      steps: [drop(table, index.name), adopting],
    });
    return sparingNeeded(replaced, index, context);
  }
  const replaced = change({
    ...base,
    action: 'replace-constraint',
    reason: 'an index that is not the constraint’s stands under its name',
    hazards: context.facts.rows(table) === 'none' ? ['INDEX_DROPPED'] : ['INDEX_BUILD', 'INDEX_DROPPED'],
    steps: keySteps(table, wanted, [drop(table, index.name)]),
  });
  return sparingNeeded(replaced, index, context);
}

/** Where a key's index may stand already. */
export interface KeySite {
  readonly actual: TableShape;
  readonly replaced: ReadonlySet<string>;
  /** Indexes that keys take over: nothing else may rename or drop them. */
  readonly adopted: Set<string>;
  readonly context: DiffContext;
}

/** Makes the valid index that an interrupted run has built for a key the key's own, so that it is not built again; null: none. */
export function adoptBuilt(wanted: DesiredConstraint, { actual, replaced, adopted, context }: KeySite): Step | null {
  if (!isKey(wanted)) return null;
  const temporary = keyIndexName(wanted);
  const index = actual.indexes.find((candidate) => candidate.name === temporary);
  if (index?.valid !== true || !isIndexOf(wanted, index) || usesReplaced(index, replaced, context)) return null;
  adopted.add(temporary);
  return takenOver(actual.name, wanted, temporary);
}

/** Whether ADD CONSTRAINT … USING INDEX takes the index for this key (rules of its manual page), and gives this key. */
function isIndexOf(wanted: KeyConstraint, index: IndexShape): boolean {
  const plain = index.keys.every(
    (item) =>
      item.opclass === null &&
      item.collation === null &&
      Object.keys(item.opclassOptions).length === 0 &&
      item.order === 'asc' &&
      item.nulls === 'last',
  );
  return (
    plain &&
    index.unique &&
    index.method.name === 'btree' &&
    index.where === null &&
    index.nullsNotDistinct === wanted.nullsNotDistinct &&
    JSON.stringify(index.keys.map((item) => item.column)) === JSON.stringify(wanted.columns) &&
    JSON.stringify(index.include) === JSON.stringify(wanted.include)
  );
}

/** The primary key that a table has, whatever its name. */
export const primaryKeyOf = (actual: TableShape): KeyConstraintShape | undefined =>
  actual.constraints.filter(isKey).find((constraint) => constraint.kind === 'primary-key');
