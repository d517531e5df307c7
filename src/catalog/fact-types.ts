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

/** What a column's type checks of every value, a new column's NULL too: a domain's NOT NULL and CHECKs. */
export interface DomainChecks {
  readonly any: boolean;
  /** Whether rows get no value from it and may have none: it is NOT NULL, and has no default of its own. */
  readonly refusesNull: boolean;
}

/** What keeps a table from getting, losing or filling columns. */
export interface ColumnBarriers {
  /** The type that it has its columns from, as SQL, the tenant's own without its schema; null for none. */
  readonly rowType: string | null;
  /** Columns of other tables that hold its rows as values, in words: `column x of u`. */
  readonly rowUses: readonly string[];
  /** Row security hides some from the role, which may change the table, as its owner whom that is forced upon. */
  readonly rowsHidden: boolean;
  /** Its rules on UPDATE that are made instead of it. */
  readonly updateRules: readonly string[];
  /** Publications of its updates, where it has no replica identity for them; so too of tables that inherit from it. */
  readonly publications: readonly {
    readonly publication: string;
    /** There is one, and it is the publication's WHERE or list of columns that does not go with it. */
    readonly unfit: boolean;
    /** As SQL, the tenant's own without its schema; null: the table itself. */
    readonly heir: string | null;
  }[];
}

/** What keeps a table from becoming unlogged, or logged. */
export interface PersistenceTie {
  /** In words: `foreign key x of table y`, `publication z`. */
  readonly what: string;
  /** The tenant's table at the foreign key's other end; null for one of another schema, and for a publication. */
  readonly other: string | null;
}

/** Of {@link Kin.outside}, how many are named; what was read has one more where there are more. */
export const OUTSIDE_NAMED = 3;

/**
 * What a table has of others and others of it: what it inherits is changed where it comes from, and what inherits from it is
 * changed along. Parents and tables of other schemas as SQL, the tenant's own without their schema.
 */
export interface Kin {
  /** The tables that it inherits from, or the one that it is a partition of. */
  readonly parents: readonly string[];
  readonly isPartition: boolean;
  /** Whether its identity columns are the parent's: partitions', since PostgreSQL 17. */
  readonly fixedIdentity: boolean;
  /** Columns that it inherits, and those among them whose NOT NULL it inherits. */
  readonly columns: readonly string[];
  readonly notNulls: readonly string[];
  /** Constraints that it inherits, NOT NULL aside. */
  readonly constraints: readonly string[];
  /** Its indexes that are parts of an index of its parent. */
  readonly indexes: readonly string[];
  /** Tables of other schemas that inherit from it, at any depth. */
  readonly outside: readonly string[];
  /** The tenant's tables that inherit from it, at any depth, by name. */
  readonly heirs: readonly Heir[];
}

/** A table that inherits, and the columns that it has of its own, whether it inherits them or not. */
export interface Heir {
  readonly table: string;
  readonly own: readonly { readonly column: string; readonly type: string }[];
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

/** A key of a table that all tenants share, and what refers to it. */
export interface SharedKey {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** The declared types of the columns that refer to it, in the same order. */
  readonly types: readonly string[];
  /** Whether they are of a logged table, which may reference logged ones only. */
  readonly logged: boolean;
}

/** Why no foreign key can be onto a key of a table that all tenants share. */
export type SharedKeyFault =
  | { readonly kind: 'no-table' | 'no-plain-table' | 'unlogged' | 'no-key' }
  | { readonly kind: 'no-column'; readonly column: string }
  /** PostgreSQL does not compare the columns' types: the declared one, and that of the shared table. */
  | { readonly kind: 'types'; readonly column: string; readonly declared: string; readonly its: string };
