import { readFiles } from './files.js';
import type { LoadOptions } from './load-options.js';
import type { DesiredState } from './model.js';
import { Problems } from './problems.js';
import { resolveState } from './resolve-state.js';

/**
 * Loads a desired state: reads and validates every file of the directory, fills in parameters and chosen backends,
 * parses every SQL fragment. Touches no database.
 * @throws {TrueupError} the first problem by file and line, all others in `options.others`.
 */
export async function loadDesiredState(options: LoadOptions): Promise<DesiredState> {
  const problems = new Problems();
  const files = readFiles(options.directory, problems);
  if (files === null) {
    problems.throwIfAny();
    throw new Error('fleet.yaml was refused without a reason');
  }
  const state = await resolveState(files, options, problems);
  problems.throwIfAny();
  return state;
}
