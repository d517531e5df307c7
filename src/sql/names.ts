/**
 * What a bare or qualified name means in one database: which extension brought it, and where it lives there. Built from
 * the catalog (src/catalog), consumed by the canonical forms and by what qualifies names. Pure data behind pure functions.
 */
export interface NameResolver {
  /**
   * The schema that a bare name of the desired state lives in here: null for pg_catalog's own (and for what is not
   * known at all, which then fails on the server with its own words). Operator classes of one name may live in several
   * schemas, one an access method: `method` says which.
   */
  schemaOf(kind: NameKind, name: string, method?: string): string | null;
  /** The extension that owns `schema.name`, or null. Identity is extension and name, wherever it is installed. */
  extensionOf(kind: NameKind, schema: string, name: string): string | null;
}

/** What a name is of: the same word may name one of each. */
export type NameKind = 'type' | 'function' | 'operator' | 'operator-class' | 'collation';

/** An extension may live in one tenant's schema: its objects are then no part of that tenant. */
export const isForeignIn =
  (schema: string, names: NameResolver) =>
  (name: string): boolean =>
    (['type', 'function', 'operator', 'operator-class'] as const).some(
      (kind) => names.extensionOf(kind, schema, name) !== null,
    );
