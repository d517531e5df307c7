import { calledDatabase, type DatabasePlace } from '../database/database-place.js';
import type { SourcePosition } from '../desired-state/model.js';
import type { Change } from '../diff/change.js';

/** Tells what of a table changes are to make, by its declared name. @param makes actions that make it */
export function madeBy(changes: Iterable<Change>, makes: RegExp): (table: string, object: string) => boolean {
  const made = new Set<string>();
  for (const { status, action, table, object } of changes)
    if (status === 'pending' && makes.test(action)) made.add(JSON.stringify([table, object]));
  return (table, object) => made.has(JSON.stringify([table, object]));
}

/** Where something is declared that a database cannot hold, as errors say it. */
export const declaredAt = (database: DatabasePlace, phase: string, { file, line, column }: SourcePosition): string =>
  `database ${calledDatabase(database)}, phase ${phase}, ${file}:${line}:${column}`;
