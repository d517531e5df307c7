import type { DesiredConstraint } from '../desired-state/model.js';
import type { ConstraintShape, KeyConstraintShape } from '../shape/table-shape.js';
import {
  addConstraint,
  addConstraintUsingIndex,
  dropConstraint,
  renameConstraint,
  validateConstraint,
} from '../sql/ddl/constraint.js';
import type { DdlTemplate } from '../sql/ddl/table.js';
import { temporaryName } from '../sql/temporary-name.js';
import { build } from './index-steps.js';
import { violations } from './offenders.js';
import { concurrently, exclusively, type Step } from './step.js';

/** A declared primary key or unique constraint. */
export type KeyConstraint = DesiredConstraint & KeyConstraintShape;

/** The old constraint enforces, under another name, until existing rows are known to satisfy the new one. */
export function successionSteps(table: string, wanted: DesiredConstraint, existing: ConstraintShape): readonly Step[] {
  return [
    exclusively(table, renameConstraint(table, existing.name, predecessorName(table, wanted))),
    added(table, wanted, addConstraint(table, wanted, true)),
    ...lastOfSuccession(table, wanted, existing, existing.name),
  ];
}

/** The name of a constraint whose successor is being checked. */
export const predecessorName = (table: string, wanted: DesiredConstraint): string =>
  temporaryName('old', `${table}.${wanted.name}`);

/**
 * The rest of a succession whose first transaction is done, in this run or in one that was interrupted.
 * @param existing the predecessor, whatever it is called now
 */
export function lastOfSuccession(
  table: string,
  wanted: DesiredConstraint,
  existing: ConstraintShape,
  oldName: string,
): readonly Step[] {
  const old = predecessorName(table, wanted);
  return [
    {
      ...validation(table, wanted),
      undo: [dropped(table, wanted), exclusively(table, renameConstraint(table, old, oldName))],
    },
    dropped(table, existing, old),
  ];
}

/** The name of a key's index while it is built. */
export const keyIndexName = (wanted: KeyConstraint): string =>
  temporaryName('new', wanted.name, JSON.stringify([wanted.columns, wanted.include, wanted.nullsNotDistinct]));

/**
 * Makes a key on a table that may hold rows: its index is built online, and the constraint takes it over.
 * @param away drops what has its place or name, and serves until the index is built
 */
export function keySteps(table: string, wanted: KeyConstraint, away: readonly Step[] = []): readonly Step[] {
  const index = keyIndexName(wanted);
  return [uniqueBuild(table, wanted, index), ...away, takenOver(table, wanted, index)];
}

function uniqueBuild(table: string, wanted: KeyConstraint, index: string): Step {
  const keys = wanted.columns.map((column) => ({
    column,
    expression: null,
    opclass: null,
    opclassOptions: {},
    collation: null,
    order: 'asc' as const,
    nulls: 'last' as const,
  }));
  const definition = {
    table,
    method: 'btree',
    unique: true,
    nullsNotDistinct: wanted.nullsNotDistinct,
    keys,
    include: wanted.include,
    options: {},
    where: null,
  };
  return build(definition, index, true);
}

/** Makes an index the key's own. */
export const takenOver = (table: string, wanted: KeyConstraint, index: string): Step =>
  exclusively(table, addConstraintUsingIndex(table, wanted, index));

/** A foreign key locks both of its tables against writers, for a moment. */
export function added(table: string, wanted: DesiredConstraint, template: DdlTemplate): Step {
  return wanted.kind === 'foreign-key'
    ? { sql: template, mode: 'transaction', lock: { mode: 'SHARE ROW EXCLUSIVE', table, beside: wanted.references } }
    : exclusively(table, template);
}

/** The drop of a constraint, whatever it is called meanwhile; a foreign key's locks both of its tables too. */
export function dropped(table: string, of: ConstraintShape, as = of.name): Step {
  const step = exclusively(table, dropConstraint(table, as));
  return of.kind === 'foreign-key' ? { ...step, lock: { ...step.lock, beside: of.references } } : step;
}

/** Reads every existing row, and lets readers and writers go on. */
export function validation(table: string, wanted: DesiredConstraint): Step {
  const offenders = violations(table, wanted);
  return {
    ...concurrently(table, validateConstraint(table, wanted.name)),
    ...(offenders === null ? {} : { offenders }),
  };
}
