import { groupBy } from '../collections.js';
import { type Item, itemInWords, itemKey } from './items.js';
import type { Sketch, Sketched } from './sketch.js';

/** Why items are left out, by key. */
export type LeftOut = ReadonlyMap<string, { readonly item: Item; readonly why: string }>;

/**
 * What is left out, with everything that would mean nothing without it: a constraint over a column that no file can say,
 * a foreign key onto a key that is left out.
 */
export function withDependents(sketch: Sketch, refused: LeftOut): LeftOut {
  const out = new Map(refused);
  const byTable = groupBy(sketch.items, (item) => item.table);
  const byKey = new Map(sketch.items.map((item) => [itemKey(item), item]));
  for (let before = -1; before < out.size; ) {
    before = out.size;
    for (const item of sketch.items) {
      if (out.has(itemKey(item))) continue;
      const missing = item.needs.find((needed) => out.has(needed) || !byKey.has(needed));
      const why =
        missing !== undefined ? needing(missing, out) : (unkeyed(item, byTable, out) ?? columnless(item, byTable, out));
      if (why !== null) out.set(itemKey(item), { item, why });
    }
  }
  return out;
}

function needing(key: string, out: LeftOut): string {
  const left = out.get(key)?.item;
  if (left !== undefined) return `it needs ${itemInWords(left)}, which is left out`;
  const [kind, table, name] = JSON.parse(key) as [Item['kind'], string, string];
  return `it needs ${itemInWords({ kind, table, name })}, which the files do not declare`;
}

/** Whether a foreign key has lost the key that it references. */
function unkeyed(item: Sketched, byTable: ReadonlyMap<string, readonly Sketched[]>, out: LeftOut): string | null {
  if (item.kind !== 'constraint' || item.made.as !== 'foreign_keys') return null;
  const { schema, table, columns } = item.made.references;
  if (schema !== null) return null;
  const wanted = [...columns].sort().join('\0');
  const keyed = (byTable.get(table) ?? []).some((other) => {
    const unique = other.kind === 'index' ? other.unique : other.kind === 'constraint' ? uniqueOf(other) : null;
    return unique !== null && [...unique].sort().join('\0') === wanted && !out.has(itemKey(other));
  });
  return keyed ? null : `the key of ${table} (${columns.join(', ')}) that it references is left out`;
}

/** Whether a table has lost its last column, or never had one: no file with such a table loads, so none would be written. */
function columnless(item: Sketched, byTable: ReadonlyMap<string, readonly Sketched[]>, out: LeftOut): string | null {
  if (item.kind !== 'table' || item.view !== null) return null;
  const kept = (byTable.get(item.table) ?? []).some((other) => other.kind === 'column' && !out.has(itemKey(other)));
  return kept ? null : 'it has no column that the format can say';
}

const uniqueOf = (item: Extract<Sketched, { kind: 'constraint' }>): readonly string[] | null =>
  'unique' in item.made ? item.made.unique : null;
