import type { Row } from '../database/session.js';

/** Rows as the detail queries give them; names are the catalogs' own. `nspname` is the table's schema. */
export interface ColumnRow extends Row {
  readonly attrelid: string;
  readonly nspname: string;
  readonly attname: string;
  readonly type: string;
  readonly collation: string | null;
  readonly notnull: boolean;
  readonly notnullahead: boolean;
  readonly default_expr: string | null;
  /** Whether there is one: the server writes none where the table is gone by now. */
  readonly has_expr: boolean;
  /** '' none, 's' stored, 'v' virtual (18). */
  readonly attgenerated: string;
  /** '' none, 'a' always, 'd' by default. */
  readonly attidentity: string;
  readonly sequence: {
    readonly start: string;
    readonly increment: string;
    readonly min: string;
    readonly max: string;
    readonly cache: string;
    readonly cycle: boolean;
    /** Where it is not the column's. */
    readonly type: string | null;
  } | null;
}

/** pg_constraint, with names for numbers. */
export interface ConstraintRow extends Row {
  readonly conrelid: string;
  readonly nspname: string;
  readonly conname: string;
  readonly contype: string;
  readonly condeferrable: boolean;
  readonly condeferred: boolean;
  readonly convalidated: boolean;
  readonly connoinherit: boolean;
  readonly beyond: string | null;
  readonly columns: readonly string[] | null;
  readonly include: readonly string[] | null;
  readonly nulls_not_distinct: boolean | null;
  readonly index_valid: boolean | null;
  readonly replica_identity: boolean | null;
  readonly ref_schema: string | null;
  readonly ref_table: string | null;
  readonly ref_columns: readonly string[] | null;
  readonly confupdtype: string;
  readonly confdeltype: string;
  readonly confmatchtype: string;
  readonly expression: string | null;
}

/** pg_index, with its method's owner and the server's own text of the definition. */
export interface IndexRow extends Row {
  readonly indexrelid: string;
  readonly indrelid: string;
  readonly nspname: string;
  readonly relname: string;
  readonly amname: string;
  readonly amextension: string | null;
  readonly indisunique: boolean;
  readonly nulls_not_distinct: boolean | null;
  readonly valid: boolean;
  readonly replica_identity: boolean;
  readonly reloptions: readonly string[] | null;
  /** Of each key, as SQL; null where its type has none. */
  readonly collations: readonly (string | null)[];
  /** Null when the index went while it was read. */
  readonly indexdef: string | null;
}

/** pg_class, for tables and materialized views. */
export interface TableRow extends Row {
  readonly oid: string;
  readonly nspname: string;
  readonly relname: string;
  readonly relkind: string;
  readonly relpersistence: string;
  /** Whether it is a partition, inherits from a table, or is inherited from. */
  readonly kin: boolean;
}
