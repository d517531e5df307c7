import { type Item, itemKey, type Note } from './items.js';
import type { TenantFacts } from './read-tenant.js';
import type { Sketch } from './sketch.js';

/** Indexes of one table that are alike, and no family. */
export interface Alike {
  readonly table: string;
  readonly indexes: readonly string[];
  /** Their predicates are one, constants and all. */
  readonly isOne?: boolean;
}

/** More than these are not listed: a file has at most 1 MB, and nobody reads them. */
const LISTED = 300;

/** Whether such indexes are too many for each to be listed. */
export const isTooLong = ({ indexes }: Alike): boolean => indexes.length > LISTED;

/** The entries by which such indexes stay out of a file. */
export const asLeftOut = ({ table, indexes }: Alike) =>
  indexes.map((name) => {
    const item: Item = { kind: 'index', table, name };
    return [itemKey(item), { item, why: 'one of too many that are alike' }] as const;
  });

/** Listed by name, an index is every tenant's: what one tenant's rows made must not be asked of the others. */
export function plainNote(alike: Alike): Note {
  const { table, indexes, isOne = false } = alike;
  const shown = indexes.slice(0, 3).join(', ');
  const cause = isOne
    ? 'they differ only in their names'
    : 'they differ only in constants of their predicates, and no table’s rows give exactly these';
  return {
    what: `indexes ${shown}${indexes.length > 3 ? ` and ${indexes.length - 3} more` : ''}`,
    why: isTooLong(alike)
      ? `${cause}: too many to list, so left out, and left alone in every tenant`
      : `${cause}: listed plainly, so that every tenant should have these very indexes. ${isOne ? 'Where one of them is enough, remove the others here' : 'Where they come from this tenant’s own rows, remove them here'}: what no phase owns and no file declares is left alone, in this tenant and in the others`,
    table,
  };
}

/** Sequences that a new tenant would lack: a serial's and an identity's come with their columns, and are left out with them. */
export function sequenceNotes(tenant: TenantFacts, sketch: Sketch): readonly Note[] {
  const columns = sketch.items.flatMap((item) => (item.kind === 'column' ? [item] : []));
  const drawing = new Set(
    columns
      .filter(({ document }) => document.serial !== true && document.identity === undefined)
      .map(({ table, name }) => `${table}.${name}`),
  );
  const isDrawnFrom = (sequence: string) =>
    columns.some(({ document }) => String(document.default ?? '').includes(sequence));
  return [...tenant.sequences].flatMap(([sequence, owner]) =>
    owner !== null && !drawing.has(owner) && !isDrawnFrom(sequence)
      ? []
      : [
          {
            what: `sequence ${sequence}`,
            why: 'trueup makes no sequences of their own: a new tenant needs it before a table whose default draws from it',
            table: null,
          },
        ],
  );
}
