/**
 * The model that everything above speaks: what a table is, apart from who owns it, where its columns stand and which
 * oids it has. SQL text in a shape is relative to its tenant: the tenant's own schema reads as
 * `TENANT_SCHEMA_SQL` (src/sql/template.ts), pg_catalog is unqualified, everything else qualified.
 */

/** A table or materialized view. */
export interface TableShape {
  readonly name: string;
  readonly kind: 'table' | 'partitioned-table' | 'materialized-view' | 'view' | 'foreign-table';
  readonly persistence: 'permanent' | 'unlogged';
  readonly columns: readonly ColumnShape[];
  readonly constraints: readonly ConstraintShape[];
  /** Indexes that no constraint owns. Owned indexes of family tables are not here: see {@link OwnedIndex}. */
  readonly indexes: readonly IndexShape[];
  /** That it is a partition, inherits from another table or is inherited from: which, the facts tell. Absent for most. */
  readonly hasKin?: true;
}

/** A column. Positions are no part of it. */
export interface ColumnShape {
  readonly name: string;
  /** A type with its modifier, as format_type writes it: `character varying(64)`, `public.vector(384)`. */
  readonly type: string;
  /** The collation, when it is not the type's own. */
  readonly collation: string | null;
  /** True only where the constraint is valid: PostgreSQL 18 can hold a NOT NULL that is not. */
  readonly notNull: boolean;
  /** Not null for new rows alone: a NOT NULL that is not valid. Absent for most. */
  readonly notNullAhead?: true;
  /** The default's expression; null for none, and for generated and identity columns. */
  readonly default: string | null;
  readonly generated: GeneratedShape | null;
  readonly identity: IdentityShape | null;
}

/** GENERATED ALWAYS AS (…). */
export interface GeneratedShape {
  readonly expression: string;
  readonly kind: 'stored' | 'virtual';
}

/** GENERATED … AS IDENTITY. Numbers are text: a bigint does not fit a double. */
export interface IdentityShape {
  readonly kind: 'always' | 'by default';
  readonly start: string;
  readonly increment: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly cache: string;
  readonly cycle: boolean;
  /** The type of its sequence where that is not the column's, by an ALTER SEQUENCE of its own. Absent for most. */
  readonly sequenceType?: string;
}

/** A table constraint. NOT NULL is a column's property here, whatever the version. */
export type ConstraintShape = KeyConstraintShape | CheckConstraintShape | ForeignKeyShape | OtherConstraintShape;

interface ConstraintBase {
  readonly name: string;
  readonly validated: boolean;
  /** How it does other than a declared one ever would, in words: WITHOUT OVERLAPS, NOT ENFORCED. Absent for most. */
  readonly beyond?: string;
}

/** A primary key or unique constraint, with what its index adds. */
export interface KeyConstraintShape extends ConstraintBase {
  readonly kind: 'primary-key' | 'unique';
  readonly columns: readonly string[];
  readonly include: readonly string[];
  readonly nullsNotDistinct: boolean;
  readonly deferrable: Deferrable;
  /** False for the leftover of a build that failed: it enforces nothing, or not for all rows. */
  readonly indexValid: boolean;
  /** Whether the table's rows are replicated by its index; not so where they are by the primary key, whichever that is. */
  readonly replicaIdentity: boolean;
}

/** Whether a constraint is a primary key or a unique constraint. */
export const isKey = <T extends ConstraintShape>(constraint: T): constraint is Extract<T, KeyConstraintShape> =>
  constraint.kind === 'primary-key' || constraint.kind === 'unique';

/** A check constraint. */
export interface CheckConstraintShape extends ConstraintBase {
  readonly kind: 'check';
  readonly expression: string;
  readonly noInherit: boolean;
}

/** A foreign key. */
export interface ForeignKeyShape extends ConstraintBase {
  readonly kind: 'foreign-key';
  readonly columns: readonly string[];
  readonly references: TableReference;
  readonly referencedColumns: readonly string[];
  readonly onUpdate: ReferentialAction;
  readonly onDelete: ReferentialAction;
  readonly match: 'simple' | 'full' | 'partial';
  readonly deferrable: Deferrable;
}

/** A table that a foreign key is onto. */
export interface TableReference {
  /** Null for the tenant's own table: a key onto another schema's table of the same name is another constraint. */
  readonly schema: string | null;
  readonly table: string;
}

/** A constraint of a kind that the format does not declare (exclusion): never compared, never touched. */
export interface OtherConstraintShape extends ConstraintBase {
  readonly kind: 'other';
}

/** `no`: NOT DEFERRABLE; else DEFERRABLE, INITIALLY IMMEDIATE or DEFERRED. */
export type Deferrable = 'no' | 'immediate' | 'deferred';

/** What a foreign key does when the referenced row goes or changes. */
export type ReferentialAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

/** An index that no constraint owns. */
export interface IndexShape {
  readonly name: string;
  readonly method: MethodIdentity;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly keys: readonly IndexKeyShape[];
  readonly include: readonly string[];
  /** Storage parameters as typed, names in lower case. */
  readonly options: Readonly<Record<string, string>>;
  readonly where: string | null;
  /** indisvalid and indisready: false for the leftover of a failed build, and while a build runs. */
  readonly valid: boolean;
  /** Whether the table's rows are replicated by it: ALTER TABLE … REPLICA IDENTITY USING INDEX. */
  readonly replicaIdentity: boolean;
}

/** An access method is told by the extension that brought it, never by its name alone: `bm25` has three owners. */
export interface MethodIdentity {
  readonly name: string;
  /** Null for PostgreSQL's own. */
  readonly extension: string | null;
}

/** One key of an index. */
export interface IndexKeyShape {
  /** A column, or null when `expression` is set. */
  readonly column: string | null;
  readonly expression: string | null;
  /** Null for the default operator class of the key's type. Qualified unless pg_catalog's. */
  readonly opclass: string | null;
  readonly opclassOptions: Readonly<Record<string, string>>;
  /** Null when it is the key's own. */
  readonly collation: string | null;
  /** The key's own, of an index that was read: that of the column, or of the expression. Left out: the type has none. */
  readonly ownCollation?: string;
  readonly order: 'asc' | 'desc';
  readonly nulls: 'first' | 'last';
}
