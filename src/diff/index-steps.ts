import type { DesiredIndexBase } from '../desired-state/model.js';
import { createIndex, dropIndex, type IndexDefinition, renameIndex, setIndexOption } from '../sql/ddl/index.js';
import type { ObjectName, SqlTemplate } from '../sql/template.js';
import type { Setting } from './index-options.js';
import { duplicates } from './offenders.js';
import { concurrently, type Step } from './step.js';

/** An index to be put in place: what it is, and what it is called. */
export interface IndexTarget {
  readonly definition: IndexDefinition;
  readonly name: ObjectName;
  readonly temporaryNew: ObjectName;
  readonly temporaryOld: ObjectName;
}

/** The definition that a declaration asks for. */
export function indexDefinition(table: string, desired: DesiredIndexBase, where: SqlTemplate | null): IndexDefinition {
  return {
    table,
    method: desired.method.name,
    unique: desired.unique,
    nullsNotDistinct: desired.nullsNotDistinct,
    keys: desired.keys,
    include: desired.include,
    options: desired.options,
    where,
  };
}

/**
 * Builds an index under the name that is given: in the transaction where the table is known to be empty, else concurrently.
 * @param online whether the table may hold rows
 */
export function build(definition: IndexDefinition, as: ObjectName, online: boolean): Step {
  const { table, unique } = definition;
  return {
    sql: createIndex(definition, as, online),
    mode: online ? 'online' : 'transaction',
    lock: online ? { mode: 'SHARE UPDATE EXCLUSIVE', table } : { mode: 'SHARE', table, only: true },
    builds: as,
    ...(unique ? { offenders: duplicates(definition) } : {}),
  };
}

/**
 * Replaces an index. A valid one serves until its successor is valid: built under a temporary name, swapped by two
 * renames, dropped last. An invalid one serves nothing, and a method that permits one index a table leaves no choice.
 */
export function rebuildSteps(
  target: IndexTarget,
  { online, dropFirst }: { readonly online: boolean; readonly dropFirst: boolean },
): readonly Step[] {
  const { definition, name, temporaryNew } = target;
  return dropFirst
    ? [drop(definition.table, name), build(definition, name, online)]
    : [build(definition, temporaryNew, online), ...swapSteps(target, temporaryNew)];
}

/** Puts a successor that is already built in an index's place, and drops the index. */
export function swapSteps({ definition, name, temporaryOld }: IndexTarget, successor: ObjectName): readonly Step[] {
  const { table } = definition;
  return [rename(table, name, temporaryOld), rename(table, successor, name), drop(table, temporaryOld)];
}

/**
 * Drops an index for want of rows. Out of the way first, in the transaction that looks for its rows: a row that comes after
 * that finds its name free for its own, where a drop that is under way would take the index from under it.
 */
export function dropUnworthy({ definition, name, temporaryOld }: IndexTarget): readonly Step[] {
  const { table } = definition;
  return [rename(table, name, temporaryOld), drop(table, temporaryOld)];
}

/** Drops an index without ever taking ACCESS EXCLUSIVE on its table. */
export const drop = (table: string, index: ObjectName): Step => concurrently(table, dropIndex(index));

/** Gives an index another name. */
export const rename = (table: string, from: ObjectName, to: ObjectName): Step => ({
  sql: renameIndex(from, to),
  mode: 'transaction',
  lock: { mode: 'SHARE UPDATE EXCLUSIVE', table },
});

/** Gives an index options as it stands. */
export const setting = (table: string, index: ObjectName, settings: readonly Setting[]): readonly Step[] =>
  settings.map(({ option, value, lock }) => ({
    sql: setIndexOption(index, option, value),
    mode: 'transaction',
    lock: { mode: lock, table },
  }));
