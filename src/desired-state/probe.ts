import type { NamePart, SourcePosition } from './model.js';

/** A query of the application, and the index that should serve it. */
export interface DesiredProbe {
  readonly name: string;
  readonly phase: string;
  readonly description: string | null;
  /** The table whose access is judged. */
  readonly table: string;
  readonly serves: ServingIndex;
  /** With an index: columns whose values make a partition. A family's members make them otherwise. */
  readonly partition: readonly string[];
  /** Values of one row of the partition: name → SQL expression. Only immutable functions of pg_catalog. */
  readonly row: Readonly<Record<string, string>>;
  /** One SELECT in pieces. Variables are `set.value` of the family, `partition.column` and `row.name`: string constants. */
  readonly query: readonly NamePart[];
  /** Set for the query alone, as the application sets them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Up to so many rows an exact scan is as good as an index. */
  readonly exactRows: number;
  readonly source: SourcePosition;
}

/** A member of a family, by the family's label, or one declared index. */
export type ServingIndex =
  | { readonly kind: 'family'; readonly label: string }
  | { readonly kind: 'index'; readonly name: string };
