import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../../src/database/session.js';
import { inspectTenant } from '../../src/inspect/inspect-tenant.js';
import type { Inspection } from '../../src/inspect/inspection.js';
import { temporaryDirectory } from './temporary.js';

/** An inspection whose files lie in a directory of their own, until the file's tests are over. */
export interface Inspected extends Inspection {
  readonly directory: string;
  text(file: 'fleet.yaml' | 'base.yaml'): string;
}

/** Inspects a tenant through the library, and writes the files as the command would. */
export async function inspected(database: Database, schema: string): Promise<Inspected> {
  const inspection = await inspectTenant(database, { schema });
  const directory = temporaryDirectory('inspected');
  for (const { path, text } of inspection.files) writeFileSync(join(directory, path), text);
  return {
    ...inspection,
    directory,
    text: (file) => inspection.files.find(({ path }) => path === file)?.text ?? '',
  };
}
