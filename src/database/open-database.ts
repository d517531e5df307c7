import { openEmbedded } from './embedded-database.js';
import type { DatabaseOptions } from './options.js';
import { connectServer } from './pg-database.js';
import type { Database } from './session.js';
import type { NamedTarget, Target } from './target.js';

/** Opens what a target says. A server is not connected to before the first session. */
export async function openDatabase(target: Target, options: DatabaseOptions): Promise<Database> {
  return target.kind === 'server'
    ? connectServer(target, options)
    : openEmbedded(target.directory, { ...options, source: target.description.source });
}

/** Opens the databases of a fleet. */
export async function openDatabases(
  targets: readonly NamedTarget[],
  options: Omit<DatabaseOptions, 'id'>,
): Promise<readonly Database[]> {
  const opened: Database[] = [];
  try {
    for (const { id, target } of targets) opened.push(await openDatabase(target, { ...options, id }));
    return opened;
  } catch (error) {
    await closeDatabases(opened);
    throw error;
  }
}

/** Ends whatever is open in any of them. */
export const closeDatabases = async (databases: readonly Database[]): Promise<void> => {
  await Promise.all(databases.map((database) => database.close()));
};
