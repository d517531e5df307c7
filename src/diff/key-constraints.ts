import type { DesiredConstraint } from '../desired-state/model.js';
import { type IndexShape, isKey, type KeyConstraintShape, type TableShape } from '../shape/table-shape.js';
import { addConstraintUsingIndex } from '../sql/ddl/constraint.js';
import { type Change, change } from './change.js';
import { type KeyConstraint, keyIndexName, uniqueBuild } from './constraint-steps.js';
import type { DiffContext } from './context.js';
import { drop } from './index-steps.js';
import { usesReplaced } from './indexed-columns.js';
import { sparingNeeded } from './referenced-keys.js';
import { exclusively } from './step.js';

/** What every change of a constraint says of it. */
export type ConstraintBase = Pick<Change, 'phase' | 'table' | 'object' | 'takes' | 'provides' | 'needs'>;

/**
 * A declared name claims its object: an index that stands under a key's name becomes the key's own when it is what the key
 * would build, and makes room for it when it is not.
 */
export function claim(base: ConstraintBase, wanted: KeyConstraint, index: IndexShape, of: KeySite): Change {
  const { table } = base;
  const { context } = of;
  const use = (from: string) => exclusively(table, addConstraintUsingIndex(table, wanted, from));
  if (index.valid && isIndexOf(wanted, index))
    return change({
      ...base,
      action: 'add-constraint',
      reason: 'its index is there, without the constraint',
      steps: [use(index.name)],
    });
  const temporary = keyIndexName(wanted);
  const built = builtKey(wanted, of);
  if (built !== null) {
    of.adopted.add(built.name);
    const replaced = change({
      ...base,
      action: 'replace-constraint',
      reason: 'an index that is not the constraint’s stands under its name; an interrupted run has built the right one',
      hazards: ['INDEX_DROPPED'],
      steps: [drop(table, index.name), use(temporary)],
    });
    return sparingNeeded(replaced, index, context);
  }
  const replaced = change({
    ...base,
    action: 'replace-constraint',
    reason: 'an index that is not the constraint’s stands under its name',
    hazards: context.facts.rows(table) === 'none' ? ['INDEX_DROPPED'] : ['INDEX_BUILD', 'INDEX_DROPPED'],
    steps: [uniqueBuild(table, wanted, temporary), drop(table, index.name), use(temporary)],
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

/** The valid index that an interrupted run has built for a key: taken over, not built again. */
export function builtKey(
  wanted: DesiredConstraint,
  { actual, replaced, context }: KeySite,
): { readonly key: KeyConstraint; readonly name: string } | null {
  if (!isKey(wanted)) return null;
  const temporary = keyIndexName(wanted);
  const index = actual.indexes.find((candidate) => candidate.name === temporary);
  const adoptable = index?.valid === true && isIndexOf(wanted, index) && !usesReplaced(index, replaced, context);
  return adoptable ? { key: wanted, name: temporary } : null;
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
