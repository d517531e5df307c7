import type { IndexShape } from '../shape/table-shape.js';
import type { Change } from './change.js';
import type { DiffContext } from './context.js';
import { diffIndex, type TableIndexes } from './declared-index.js';
import { usesReplaced } from './indexed-columns.js';
import { sparingNeeded } from './referenced-keys.js';
import { unexpectedIndex } from './unexpected-index.js';

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
    if (made !== null) changes.push(sparing(made, byName, context));
  }
  for (const index of spare.values()) {
    const unexpected = unexpectedIndex(index, of.desired, context);
    if (unexpected !== null) changes.push(sparing(unexpected, byName, context));
  }
  return changes;
}

/** Everything that is about an index which is there drops it, but a deferred change and one that alters it. */
function sparing(made: Change, byName: ReadonlyMap<string, IndexShape>, context: DiffContext): Change {
  const index = byName.get(made.object);
  const drops = made.status !== 'deferred' && made.action !== 'alter-index';
  return index !== undefined && drops ? sparingNeeded(made, index, context) : made;
}
