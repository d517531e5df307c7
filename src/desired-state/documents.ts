/**
 * The files as written, after the JSON Schema has accepted them (schema/*.schema.json, which these types mirror).
 * Nothing is rendered, defaulted or checked against anything else yet.
 */

export type Scalar = string | number | boolean;

/** A parameter that has a value, or the values that parameters have. */
export type Condition = string | Readonly<Record<string, Scalar>>;

export interface Conditional {
  readonly when?: Condition;
  readonly unless?: Condition;
}

export interface FleetDocument {
  readonly version: 1;
  readonly connection?: { readonly env?: readonly string[] };
  readonly targets?: readonly { readonly id: string; readonly url_env?: string; readonly env?: readonly string[] }[];
  readonly tenants: {
    readonly base_schema?: string | { readonly env?: string; readonly default?: string };
    readonly having_tables?: readonly string[];
    readonly schemas?: readonly string[];
    readonly like?: string;
    readonly query?: string;
    readonly exclude?: readonly string[];
  };
  readonly release?: {
    readonly table: string;
    readonly column: string;
    readonly accepts: readonly (string | number)[];
  };
  readonly migration_lock?: { readonly key: string; readonly base_schema_key?: string };
  readonly phases: readonly PhaseDocument[];
  readonly parameters?: Readonly<Record<string, ParameterDocument>>;
  readonly overrides?: readonly OverrideDocument[];
}

export interface PhaseDocument {
  readonly name: string;
  readonly file?: string;
  readonly extension?: boolean;
  readonly backends?: string;
  readonly select?: { readonly env?: string; readonly default: string };
  readonly owns?: {
    readonly columns: readonly string[];
    readonly methods: readonly string[];
    readonly ignoring?: readonly string[];
  };
  readonly keep?: readonly string[];
}

export interface ParameterDocument {
  readonly type: 'integer' | 'string' | 'boolean' | 'identifier' | 'fragment';
  readonly description?: string;
  readonly env?: string;
  readonly default?: string | number | boolean | null;
  readonly default_for?: 'new';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly values?: readonly (string | number)[];
  readonly pattern?: string;
  readonly numbers?: 'ascending';
  readonly aliases?: Readonly<Record<string, string>>;
  readonly normalize?: readonly ('lowercase' | 'no-spaces')[];
}

export interface OverrideDocument {
  readonly schemas: readonly string[];
  readonly backends?: Readonly<Record<string, string>>;
  readonly parameters?: Readonly<Record<string, Scalar>>;
}

export interface TablesDocument {
  readonly backend?: string;
  readonly extensions?: readonly ExtensionDocument[];
  readonly limits?: Readonly<Record<string, { readonly minimum?: number; readonly maximum?: number }>>;
  readonly alternatives?: readonly string[];
  readonly search_path?: readonly string[];
  readonly build_settings?: Readonly<Record<string, Scalar>>;
  readonly probes?: readonly ProbeDocument[];
  readonly tables?: Readonly<Record<string, TableDocument>>;
  readonly materialized_views?: Readonly<Record<string, ViewDocument>>;
}

export interface ProbeDocument extends Conditional {
  readonly name: string;
  readonly description?: string;
  readonly table: string;
  readonly family?: string;
  readonly index?: string;
  readonly partition?: readonly string[];
  readonly row?: Readonly<Record<string, string>>;
  readonly query: string;
  readonly settings?: Readonly<Record<string, Scalar>>;
  readonly exact_rows?: number | string;
}

export interface ExtensionDocument extends Conditional {
  readonly name: string;
  readonly schema?: string;
  readonly min_version?: string;
  readonly schemas?: readonly string[];
  readonly preload?: string;
}

export interface TableDocument extends Conditional {
  readonly unlogged?: boolean;
  readonly columns?: Readonly<Record<string, string | ColumnDocument>>;
  readonly primary_key?: KeyDocument;
  readonly unique?: readonly KeyDocument[];
  readonly checks?: readonly CheckDocument[];
  readonly foreign_keys?: readonly ForeignKeyDocument[];
  readonly indexes?: readonly IndexDocument[];
  readonly index_families?: readonly FamilyDocument[];
}

export interface ViewDocument extends Conditional {
  readonly query?: string;
  readonly with_data?: boolean;
  readonly indexes?: readonly IndexDocument[];
}

export interface ColumnDocument extends Conditional {
  readonly type: string;
  readonly nullable?: boolean;
  readonly default?: Scalar;
  readonly collation?: string;
  readonly generated?: string;
  readonly serial?: true;
  readonly identity?: 'always' | 'by default' | IdentityDocument;
  readonly filled_by?: 'database' | 'application' | 'nothing';
  readonly derived?: boolean;
}

export interface IdentityDocument {
  readonly kind: 'always' | 'by default';
  readonly start?: string | number;
  readonly increment?: string | number;
  readonly minimum?: string | number;
  readonly maximum?: string | number;
  readonly cache?: string | number;
  readonly cycle?: boolean;
}

type DeferrableDocument = 'no' | 'initially immediate' | 'initially deferred';
type ActionDocument = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

export interface KeyDocument extends Conditional {
  readonly name: string;
  readonly columns: readonly string[];
  readonly include?: readonly string[];
  readonly nulls_not_distinct?: boolean;
  readonly deferrable?: DeferrableDocument;
}

export interface CheckDocument extends Conditional {
  readonly name: string;
  readonly expression: string;
  readonly no_inherit?: boolean;
}

export interface ForeignKeyDocument extends Conditional {
  readonly name: string;
  readonly columns: readonly string[];
  readonly references: { readonly schema?: string; readonly table: string; readonly columns: readonly string[] };
  readonly on_delete?: ActionDocument;
  readonly on_update?: ActionDocument;
  readonly match?: 'simple' | 'full';
  readonly deferrable?: DeferrableDocument;
}

export interface IndexKeyDocument extends Conditional {
  readonly column?: string;
  readonly expression?: string;
  readonly opclass?: string;
  readonly opclass_options?: Readonly<Record<string, Scalar>>;
  readonly collation?: string;
  readonly order?: 'asc' | 'desc';
  readonly nulls?: 'first' | 'last';
}

export type MethodDocument =
  | string
  | { readonly name: string; readonly extension?: string; readonly defaults?: Readonly<Record<string, Scalar>> };

export interface IndexDocument extends Conditional {
  readonly name: string;
  readonly method?: MethodDocument;
  readonly keys: readonly (string | IndexKeyDocument)[];
  readonly unique?: boolean;
  readonly nulls_not_distinct?: boolean;
  readonly include?: readonly string[];
  readonly options?: Readonly<Record<string, Scalar>>;
  readonly where?: string;
  readonly requires_rows?: { readonly count: number | string; readonly where?: string };
  readonly worth_rows?: { readonly build: number | string; readonly keep: number | string };
  readonly one_per_table?: boolean;
  readonly key_field?: string;
}

export type SetDocument =
  | readonly (Scalar | Readonly<Record<string, Scalar>>)[]
  | { readonly table: string; readonly values: Readonly<Record<string, string>> };

export interface FamilyDocument extends IndexDocument {
  readonly for_each: Readonly<Record<string, SetDocument>>;
}
