import type { ColumnShape, ConstraintShape, MethodIdentity, TableShape } from '../shape/table-shape.js';
import type { OwnName } from '../sql/own-names.js';
import type { DesiredProbe } from './probe.js';

/**
 * The desired state after loading: validated, one backend chosen a phase, parameters filled in, every placeholder
 * rendered. SQL text is as the author wrote it (bare names of extensions resolve later, against the catalog).
 */
export interface DesiredState {
  /** Absolute path of the directory. */
  readonly directory: string;
  /** sha256 over everything that was approved: files, backends, parameters. `sha256:…` */
  readonly digest: string;
  readonly connectionVariables: readonly string[];
  /** The databases of a fleet that has several, with the variables that hold their URLs. Empty: one, found as ever. */
  readonly targets: readonly TargetRule[];
  readonly tenants: TenantRule;
  readonly release: ReleaseRule | null;
  readonly migrationLock: MigrationLockRule | null;
  /** Every phase, in order, skipped ones too: their ownership still says what is no part of a base shape. */
  readonly phases: readonly DesiredPhase[];
  readonly parameters: Readonly<Record<string, ResolvedParameter>>;
  /** Union of the phases' tables that this run reconciles, in order of declaration. */
  readonly tables: readonly DesiredTable[];
  readonly extensions: readonly DesiredExtension[];
  /** Queries that show whether indexes serve, of the phases that this run reconciles. */
  readonly probes: readonly DesiredProbe[];
  readonly overrides: readonly Override[];
}

/** One database of several. */
export interface TargetRule {
  readonly id: string;
  /** The first that is set wins. */
  readonly variables: readonly string[];
}

/** How tenants are found. Exactly one of `havingTables`, `schemas`, `like`, `query` is set. */
export interface TenantRule {
  /** A schema that is a tenant too when it holds the tables; null for none. */
  readonly baseSchema: string | null;
  readonly havingTables: readonly string[] | null;
  readonly schemas: readonly string[] | null;
  readonly like: string | null;
  readonly query: string | null;
  /** LIKE patterns. */
  readonly exclude: readonly string[];
}

/** The application's own migration stamp. */
export interface ReleaseRule {
  readonly table: string;
  readonly column: string;
  /** Releases that the base files describe; provisioning stamps the last of them. */
  readonly accepts: readonly string[];
}

/** The session advisory locks under which the application's own migration runs. */
export interface MigrationLockRule {
  /** An expression over the column `schema` (text) that gives the 64-bit key of a tenant. */
  readonly key: string;
  /** The same for the key that the base schema's tenant takes besides; null for none. */
  readonly baseSchemaKey: string | null;
  readonly source: SourcePosition;
}

/** A slice of the desired state. */
export interface DesiredPhase {
  readonly name: string;
  /** True for phases that --skip-extension-reconcile leaves out. */
  readonly extension: boolean;
  /** False when flags leave it out of this run. */
  readonly selected: boolean;
  readonly backend: ResolvedBackend | null;
  readonly owns: Ownership | null;
  /** LIKE patterns of owned indexes that stay. */
  readonly keep: readonly string[];
  /** Schemas that sessions of the application need on their search_path. */
  readonly searchPath: readonly string[];
  readonly buildSettings: Readonly<Record<string, string>>;
  /** Bounds that the resolved backend sets on parameters, checked before anything is dropped. */
  readonly limits: Readonly<Record<string, { readonly minimum: number | null; readonly maximum: number | null }>>;
}

/** Which backend a phase runs, and who said so. */
export interface ResolvedBackend {
  /** As asked for. */
  readonly value: string;
  readonly source: ValueSource;
  /** Alternatives in order, the asked-for first; a database takes the first installed, else available. */
  readonly alternatives: readonly string[];
  /** The one of `alternatives` that this desired state was resolved with. */
  readonly resolved: string;
  /** All backends that the phase has files for, with what they make: to name what is found in a fleet. */
  readonly known: readonly KnownBackend[];
}

/** A backend that the phase has a file for, whether it runs or not. */
export interface KnownBackend {
  readonly name: string;
  readonly methods: readonly MethodIdentity[];
  /** Its index families: the label as written, and a regular expression for every name that members can have. */
  readonly families: readonly { readonly table: string; readonly label: string; readonly pattern: string }[];
}

/** Where a value came from. Only flag, variable and override may replace what exists. */
export type ValueSource = 'flag' | 'environment' | 'override' | 'default';

/** What a phase owns: an index is its own when its method is listed and so is every column that its keys reference. */
export interface Ownership {
  readonly columns: readonly string[];
  readonly methods: readonly string[];
  /** Columns that may stand among the keys without counting. */
  readonly ignoring: readonly string[];
}

/** A parameter after flags, variables and defaults. */
export interface ResolvedParameter {
  readonly value: string | number | boolean | null;
  readonly source: ValueSource;
  /** True when the value is a default that fills only what is being created (`default_for: new`). */
  readonly forNewOnly: boolean;
}

/** An extension that some file needs. */
export interface DesiredExtension {
  readonly name: string;
  readonly phase: string;
  /** Where CREATE EXTENSION puts it; null for an extension that fixes its own. */
  readonly schema: string | null;
  readonly minVersion: string | null;
  /** Further schemas that it brings (bm25_catalog). */
  readonly schemas: readonly string[];
  /** The library that the server must load at its start; null for none. */
  readonly preload: string | null;
  readonly source: SourcePosition;
}

/** A table or materialized view, united over the phases of this run. */
export interface DesiredTable {
  readonly name: string;
  readonly phase: string;
  readonly kind: 'table' | 'materialized-view';
  readonly persistence: TableShape['persistence'];
  readonly columns: readonly DesiredColumn[];
  readonly constraints: readonly DesiredConstraint[];
  readonly indexes: readonly DesiredIndex[];
  readonly families: readonly IndexFamily[];
  /** A materialized view's SELECT, and whether it is filled when it is made. */
  readonly view: { readonly query: string; readonly withData: boolean } | null;
  readonly source: SourcePosition;
}

/** A column as declared. */
export interface DesiredColumn extends ColumnShape {
  readonly phase: string;
  /** Who gives existing rows their value when the column is new. */
  readonly filledBy: 'database' | 'application' | 'nothing';
  /** Its content can be computed again, so that replacing it loses nothing. */
  readonly derived: boolean;
  /** Its default draws from a sequence that CREATE TABLE makes with it, as bigserial does; left out: it does not. */
  readonly serial?: true;
  /** What of the tenant's schema its type, default or expression names; left out before the column is resolved. */
  readonly finds?: readonly OwnName[];
  /** Parameters that its type, default or expression names. */
  readonly parameters: readonly string[];
  /** The type with its parameters left open; `type` is the same with them filled in. */
  readonly typeTemplate: readonly NamePart[];
  readonly source: SourcePosition;
}

/** A constraint as declared. */
export type DesiredConstraint = ConstraintShape & { readonly phase: string; readonly source: SourcePosition };

/** What an index and a family have in common. */
export interface DesiredIndexBase {
  readonly phase: string;
  readonly method: MethodIdentity;
  /** Defaults of the method's options: an option given at its default equals one not given. */
  readonly optionDefaults: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly keys: readonly DesiredIndexKey[];
  readonly include: readonly string[];
  /** At most one index of this method fits on a table: the old one must go first. */
  readonly onePerTable: boolean;
  /** Rows that must exist before it can be built, 1 or more; until then it is deferred. */
  readonly requiresRows: { readonly count: number; readonly where: string | null } | null;
  /** Rows below which it is not worth its cost; below `keep` it is dropped. Null: always. */
  readonly worthRows: { readonly build: number; readonly keep: number } | null;
  /** The column that the method takes for a unique key: a warning where nothing makes it unique, and no constraint. */
  readonly keyField: string | null;
  readonly source: SourcePosition;
}

/** A key as declared. `opclass` null: the default. */
export interface DesiredIndexKey {
  readonly column: string | null;
  readonly expression: string | null;
  readonly opclass: string | null;
  readonly opclassOptions: Readonly<Record<string, string>>;
  readonly collation: string | null;
  readonly order: 'asc' | 'desc';
  readonly nulls: 'first' | 'last';
}

/** An index declared by name. */
export interface DesiredIndex extends DesiredIndexBase {
  readonly name: string;
  readonly where: string | null;
}

/** Indexes generated from rows. */
export interface IndexFamily extends DesiredIndexBase {
  /** As written: `idx_items_${kind.code}_${shop.short_id}`. For reports. */
  readonly label: string;
  /** The name in pieces: fixed text, and variables like `shop.short_id`. */
  readonly name: readonly NamePart[];
  /** Row variables: read from a table of the tenant. At most one. */
  readonly rows: FamilyRows | null;
  /** Variables with listed values, crossed with the rows and with each other. */
  readonly lists: readonly { readonly name: string; readonly entries: readonly Readonly<Record<string, string>>[] }[];
  /** The predicate in pieces: SQL text, and variables that are written as string constants. */
  readonly where: readonly NamePart[] | null;
}

/** Fixed text, or a variable `set.value` that a row or list entry fills. */
export type NamePart = string | { readonly variable: string };

/** The rows that a family is generated from. */
export interface FamilyRows {
  readonly name: string;
  readonly table: string;
  /** Value name → SQL expression over that table. Only immutable functions of pg_catalog. */
  readonly values: Readonly<Record<string, string>>;
  readonly source: SourcePosition;
}

/** Other backends or parameters for some schemas (LIKE patterns). */
export interface Override {
  readonly schemas: readonly string[];
  readonly backends: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

/** Where in the files something is declared; lines and columns from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}
