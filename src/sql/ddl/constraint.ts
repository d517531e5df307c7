import type { ConstraintShape, Deferrable, TableReference } from '../../shape/table-shape.js';
import { joinSql, name, relativeSql, type SqlTemplate, sql } from '../template.js';
import { alterTable, type DdlTemplate, tableName } from './table.js';

/** A constraint as CREATE TABLE and ADD CONSTRAINT write it. */
export function constraintDefinition(constraint: ConstraintShape): SqlTemplate {
  const head = sql`CONSTRAINT ${name(constraint.name)}`;
  switch (constraint.kind) {
    case 'primary-key':
    case 'unique': {
      const word = constraint.kind === 'primary-key' ? 'PRIMARY KEY' : 'UNIQUE';
      const nulls = constraint.nullsNotDistinct ? ' NULLS NOT DISTINCT' : '';
      const include = constraint.include.length > 0 ? sql` INCLUDE (${names(constraint.include)})` : '';
      return sql`${head} ${word}${nulls} (${names(constraint.columns)})${include}${deferrability(constraint.deferrable)}`;
    }
    case 'check':
      return sql`${head} CHECK (${relativeSql(constraint.expression)})${constraint.noInherit ? ' NO INHERIT' : ''}`;
    case 'foreign-key': {
      const match = constraint.match === 'full' ? ' MATCH FULL' : '';
      const referenced = sql`${referencedTable(constraint.references)} (${names(constraint.referencedColumns)})`;
      const actions =
        (constraint.onUpdate === 'no action' ? '' : ` ON UPDATE ${constraint.onUpdate.toUpperCase()}`) +
        (constraint.onDelete === 'no action' ? '' : ` ON DELETE ${constraint.onDelete.toUpperCase()}`);
      return sql`${head} FOREIGN KEY (${names(constraint.columns)}) REFERENCES ${referenced}${match}${actions}${deferrability(constraint.deferrable)}`;
    }
    default:
      throw new Error(`internal: constraint ${constraint.name} is of a kind that trueup does not declare`);
  }
}

/** The table that a foreign key is onto: the tenant's own, or the one that all tenants share. */
export const referencedTable = ({ schema, table }: TableReference): SqlTemplate =>
  schema === null ? tableName(table) : sql`${name(schema)}.${name(table)}`;

/** `ALTER TABLE … ADD CONSTRAINT …`, with NOT VALID where existing rows are checked later, without a strong lock. */
export const addConstraint = (table: string, constraint: ConstraintShape, notValid = false): DdlTemplate =>
  alterTable(
    table,
    { newConstraint: constraint },
    sql`ADD ${constraintDefinition(constraint)}${notValid ? ' NOT VALID' : ''}`,
  );

/** Turns a valid unique index into the constraint's own; the index takes the constraint's name. */
export function addConstraintUsingIndex(
  table: string,
  constraint: ConstraintShape & { readonly kind: 'primary-key' | 'unique' },
  index: string,
): SqlTemplate {
  const word = constraint.kind === 'primary-key' ? 'PRIMARY KEY' : 'UNIQUE';
  return sql`ALTER TABLE ${tableName(table)} ADD CONSTRAINT ${name(constraint.name)} ${word} USING INDEX ${name(index)}${deferrability(constraint.deferrable)}`;
}

/** Checks existing rows under SHARE UPDATE EXCLUSIVE. */
export const validateConstraint = (table: string, constraint: string): DdlTemplate =>
  alterTable(table, { constraint, how: 'VALIDATE' }, sql`VALIDATE CONSTRAINT ${name(constraint)}`);

/** `ALTER TABLE … DROP CONSTRAINT`. */
export const dropConstraint = (table: string, constraint: string): DdlTemplate =>
  alterTable(table, { constraint, how: 'DROP' }, sql`DROP CONSTRAINT ${name(constraint)}`);

/** `ALTER TABLE … RENAME CONSTRAINT`. */
export const renameConstraint = (table: string, from: string, to: string): DdlTemplate =>
  alterTable(table, { constraint: from, how: 'RENAME' }, sql`RENAME CONSTRAINT ${name(from)} TO ${name(to)}`);

/** Names, quoted, as a list. */
export const names = (list: readonly string[]): SqlTemplate => joinSql(list.map(name), ', ');

function deferrability(deferrable: Deferrable): string {
  if (deferrable === 'no') return '';
  return deferrable === 'deferred' ? ' DEFERRABLE INITIALLY DEFERRED' : ' DEFERRABLE';
}
