import type { DesiredIndexBase } from '../desired-state/model.js';
import { createIndex, dropIndex, type IndexDefinition, renameIndex, setIndexOption } from '../sql/ddl/index.js';
import type { ObjectName, SqlTemplate } from '../sql/template.js';
import type { Step } from './change.js';
import type { Setting } from './index-options.js';
import { duplicates } from './offenders.js';
import { concurrently } from './step.js';

/** An index to be put in place: what it is, and what it is called. */
export interface IndexTarget {
  readonly table: string;
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

/** Builds an index under its name: in the transaction where the table is known to be empty, else concurrently. */
export function buildSteps(target: IndexTarget, online: boolean): readonly Step[] {
  return [build(target, target.name, online)];
}

/**
 * Replaces an index. A valid one serves until its successor is valid: built under a temporary name, swapped by two
 * renames, dropped last. An invalid one serves nothing, and a method that permits one index a table leaves no choice.
 */
export function rebuildSteps(
  target: IndexTarget,
  options: { readonly online: boolean; readonly dropFirst: boolean },
): readonly Step[] {
  if (options.dropFirst) return [drop(target, target.name), ...buildSteps(target, options.online)];
  return [build(target, target.temporaryNew, options.online), ...swapSteps(target, target.temporaryNew)];
}

/** Puts a successor that is already built in an index's place, and drops the index. */
export function swapSteps(target: IndexTarget, successor: ObjectName): readonly Step[] {
  return [
    rename(target, target.name, target.temporaryOld),
    rename(target, successor, target.name),
    drop(target, target.temporaryOld),
  ];
}

/** Drops an index without ever taking ACCESS EXCLUSIVE on its table. */
export const drop = ({ table }: Pick<IndexTarget, 'table'>, index: ObjectName): Step =>
  concurrently(table, dropIndex(index));

/** Gives an index another name. */
export function rename(target: Pick<IndexTarget, 'table'>, from: ObjectName, to: ObjectName): Step {
  return {
    sql: renameIndex(from, to),
    mode: 'transaction',
    lock: { mode: 'SHARE UPDATE EXCLUSIVE', table: target.table },
  };
}

/** Gives an index options as it stands. */
export const setting = (table: string, index: ObjectName, settings: readonly Setting[]): readonly Step[] =>
  settings.map(({ option, value, lock }) => ({
    sql: setIndexOption(index, option, value),
    mode: 'transaction',
    lock: { mode: lock, table },
  }));

/** Builds an index under the name that is given. */
export function build(target: Pick<IndexTarget, 'table' | 'definition'>, as: ObjectName, online: boolean): Step {
  return {
    sql: createIndex(target.definition, as, online),
    mode: online ? 'online' : 'transaction',
    lock: online
      ? { mode: 'SHARE UPDATE EXCLUSIVE', table: target.table }
      : { mode: 'SHARE', table: target.table, only: true },
    builds: as,
    ...(target.definition.unique ? { offenders: duplicates(target.definition) } : {}),
  };
}
