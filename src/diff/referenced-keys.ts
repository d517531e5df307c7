import type { IndexShape, KeyConstraintShape } from '../shape/table-shape.js';
import { blocked, type Change } from './change.js';
import type { DiffContext } from './context.js';
import { sparingIdentity } from './replica-identity.js';

/** A change that drops an index or a key, refused where the table is replicated by it or foreign keys rest on it. */
export function sparingNeeded(made: Change, index: IndexShape | KeyConstraintShape, context: DiffContext): Change {
  const spared = sparingIdentity(made, index);
  if (spared.status === 'blocked') return spared;
  return underForeignKeys(spared, restingOn(index, made.table, context), 'it');
}

/** Foreign keys that a key goes under, in words. Another key over the same columns would not take its place for them. */
export function restingOn(
  index: IndexShape | KeyConstraintShape,
  table: string,
  { facts }: DiffContext,
): readonly string[] {
  const [column] = 'columns' in index ? index.columns : index.unique ? index.keys.map((item) => item.column) : [];
  if (column == null) return [];
  return facts.references(table, column).flatMap((one) => (one.index === index.name ? one.foreignKey : []));
}

/** A change of what foreign keys rest on, refused where there are any: PostgreSQL would refuse it in every run. */
export function underForeignKeys(made: Change, resting: readonly string[], what: string): Change {
  if (resting.length === 0) return made;
  return blocked(
    made,
    `${resting.join(', ')} rest${resting.length === 1 ? 's' : ''} on ${what}, and PostgreSQL refuses to drop or change a key under a foreign key`,
    'drop the foreign keys that rest on it, then apply: it makes the declared ones again',
  );
}
