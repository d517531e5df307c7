import type { ConstraintShape } from '../../shape/table-shape.js';
import { name, type ObjectName, SCHEMA, type SqlTemplate, sql } from '../template.js';

/** `"schema".table` for the tenant. */
export const tableName = (table: string): SqlTemplate => sql`${SCHEMA}.${name(table)}`;

/** A statement that says what of its table it alters. */
export interface DdlTemplate extends SqlTemplate {
  readonly alters?: Alteration;
}

/** What of a table is altered, as far as that may be its parent's, or be altered on the tables that inherit from it as well. */
export type Alteration =
  /** Valued: PostgreSQL computes a value for it, though it may store that but once. */
  | { readonly column: string; readonly how: 'ADD COLUMN'; readonly valued: boolean }
  | { readonly column: string; readonly how: 'DROP COLUMN' | 'RENAME COLUMN' | ColumnAlteration }
  | { readonly identity: string }
  | { readonly constraint: string; readonly how: 'DROP' | 'RENAME' | 'VALIDATE' }
  | { readonly newConstraint: ConstraintShape }
  | { readonly index: ObjectName; readonly how: 'DROP' | 'RENAME' };

/** What ALTER COLUMN does, identities aside. */
export type ColumnAlteration =
  | 'TYPE'
  | 'SET DEFAULT'
  | 'DROP DEFAULT'
  | 'SET NOT NULL'
  | 'DROP NOT NULL'
  | 'DROP EXPRESSION';

/** `ALTER TABLE … <what>`. */
export const alterTable = (table: string, alters: Alteration, what: SqlTemplate): DdlTemplate => ({
  ...sql`ALTER TABLE ${tableName(table)} ${what}`,
  alters,
});
