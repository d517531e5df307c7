/** Whether there is a row or a value. `unknown` counts as `some` wherever something could be lost. */
export type Presence = 'none' | 'some' | 'unknown';

/** An index's scans since the statistics were reset, and its bytes. */
export interface IndexUsage {
  readonly scans: number;
  readonly bytes: number;
}

/** A foreign key onto a column. */
export interface Reference {
  /** In words: `foreign key x of table y`. */
  readonly foreignKey: string;
  /** The index of the referenced table that it is tied to, by which a key goes as well. */
  readonly index: string;
}

/** What is among the indexes on a column. */
export interface IndexesOver {
  /** One with an expression or a predicate. */
  readonly computed: boolean;
  /** The replica identity of the table. */
  readonly identity: boolean;
}

/** What keeps a table from becoming unlogged, or logged. */
export interface PersistenceTie {
  /** In words: `foreign key x of table y`, `publication z`. */
  readonly what: string;
  /** The tenant's table at the foreign key's other end; null for one of another schema, and for a publication. */
  readonly other: string | null;
}

/** Who builds an index of a table, and what is INVALID there: looked at in this order. */
export interface Building {
  /** The server's process that holds what a running build holds; null for none. */
  readonly by: number | null;
  readonly invalid: readonly string[];
}

/** What has a name in a schema. `what`: in words, with the article: `a sequence`, `an index of table shops`. */
export type NameHolder =
  /** What a tenant's shapes show under a table's name, of whatever kind: a view, a partitioned table … */
  | { readonly kind: 'table'; readonly what: string }
  /** `isConstraint`: a key or an exclusion constraint of the table stands on it. */
  | { readonly kind: 'index'; readonly what: string; readonly table: string; readonly isConstraint: boolean }
  /** A sequence, or a type. */
  | { readonly kind: 'other'; readonly what: string };
