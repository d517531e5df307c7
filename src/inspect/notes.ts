import type { Note } from './items.js';
import type { TenantFacts } from './read-tenant.js';
import type { Sketch } from './sketch.js';

/** Listed by name, an index is every tenant's: what one tenant's rows made must not be asked of the others. */
export function plainNote({ table, indexes }: { readonly table: string; readonly indexes: readonly string[] }): Note {
  const shown = indexes.slice(0, 3).join(', ');
  return {
    what: `indexes ${shown}${indexes.length > 3 ? ` and ${indexes.length - 3} more` : ''}`,
    why: 'they differ only in constants of their predicates, and no table’s rows give exactly these: listed plainly, so that every tenant should have these very indexes. Where they come from this tenant’s own rows, remove them here: what no phase owns and no file declares is left alone, in this tenant and in the others',
    table,
  };
}

/** Sequences that a new tenant would lack: a serial's and an identity's come with their columns. */
export function sequenceNotes(tenant: TenantFacts, sketch: Sketch): readonly Note[] {
  const made = new Set(
    sketch.items.flatMap((item) =>
      item.kind === 'column' && (item.document.serial === true || item.document.identity !== undefined)
        ? [`${item.table}.${item.name}`]
        : [],
    ),
  );
  return [...tenant.sequences].flatMap(([sequence, owner]) =>
    owner !== null && made.has(owner)
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
