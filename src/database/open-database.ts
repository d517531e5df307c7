import { openEmbedded } from './embedded-database.js';
import type { DatabaseOptions } from './options.js';
import { connectServer } from './pg-database.js';
import type { Database } from './session.js';
import type { Target } from './target.js';

/** Opens what a target says. A server is not connected to before the first session. */
export async function openDatabase(target: Target, options: DatabaseOptions): Promise<Database> {
  return target.kind === 'server'
    ? connectServer(target, options)
    : openEmbedded(target.directory, { ...options, source: target.description.source });
}
