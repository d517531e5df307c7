/** What a desired state is made of, one at a time; a left-out one takes along what stands on it. */
export type ItemKind = 'table' | 'column' | 'constraint' | 'index' | 'family';

/** One object of the tenant, by name. A table's own `name` is its table. */
export interface Item {
  readonly kind: ItemKind;
  readonly table: string;
  readonly name: string;
  /** The table is a materialized view; left out: it is a plain one. */
  readonly isView?: true;
}

/** An item's identity. */
export const itemKey = ({ kind, table, name }: Item): string => JSON.stringify([kind, table, name]);

export const tableKey = (table: string): string => itemKey({ kind: 'table', table, name: table });
export const columnKey = (table: string, column: string): string => itemKey({ kind: 'column', table, name: column });

/** What the files do not say of the tenant, and why. */
export interface Note {
  /** In words: `trigger items_touch of items`. */
  readonly what: string;
  readonly why: string;
  /** The table that it belongs to; null for the schema's other objects. */
  readonly table: string | null;
}

/** An item in words. */
export function itemInWords({ kind, table, name, isView }: Item): string {
  if (kind === 'table') return `${isView === true ? 'materialized view' : 'table'} ${table}`;
  return `${kind === 'family' ? 'index family' : kind} ${name} of ${table}`;
}
