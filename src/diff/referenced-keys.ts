import type { IndexShape, KeyConstraintShape } from '../shape/table-shape.js';
import { blocked, type Change, key } from './change.js';
import type { DiffContext } from './context.js';
import { sparingIdentity } from './replica-identity.js';

/**
 * A change that drops an index or a key, refused where the table is replicated by it or foreign keys rest on it. What is to
 * refer to the same columns waits for it: a foreign key would come to rest on it, whatever other key there is, and its drop fail.
 */
export function sparingNeeded(made: Change, index: IndexShape | KeyConstraintShape, context: DiffContext): Change {
  const spared = sparingIdentity(made, index);
  if (spared.status === 'blocked') return spared;
  const free = underForeignKeys(spared, restingOn(index, made.table, context), 'it');
  const columns = keyColumns(index);
  if (free.status !== 'pending' || columns.length === 0) return free;
  return { ...free, provides: [...free.provides, key.unique(made.table, columns)] };
}

/** The columns that a foreign key may refer to by it; of what is no such key, none, or some. */
const keyColumns = (index: IndexShape | KeyConstraintShape): readonly string[] =>
  'columns' in index ? index.columns : index.unique ? index.keys.flatMap((item) => item.column ?? []) : [];

/** Foreign keys that a key goes under, in words. Another key over the same columns would not take its place for them. */
export function restingOn(
  index: IndexShape | KeyConstraintShape,
  table: string,
  { facts }: DiffContext,
): readonly string[] {
  const [column] = keyColumns(index);
  if (column === undefined) return [];
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
