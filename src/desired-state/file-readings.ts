import type { TablesFile } from './backends.js';
import { checkFragments, type Fragment } from './fragments.js';
import type { Parameters } from './parameters.js';
import { Problems } from './problems.js';
import { type FileContent, readTables } from './read-tables.js';
import { Reading } from './reading.js';

/**
 * The contents of files, each read and its SQL parsed once: `validate` fills in the same files again for every backend, with
 * the same parameters. One instance is for one set of parameters.
 */
export class FileReadings {
  readonly #known = new Map<TablesFile, { readonly content: FileContent; readonly problems: Problems }>();

  /** What the file of a phase says. What is wrong with it is noted, each time that it is asked for. */
  async of(phase: string, file: TablesFile, parameters: Parameters, problems: Problems): Promise<FileContent> {
    const known = this.#known.get(file) ?? (await readFile(phase, file, parameters));
    this.#known.set(file, known);
    problems.takeFrom(known.problems, () => true);
    return known.content;
  }
}

async function readFile(phase: string, file: TablesFile, parameters: Parameters) {
  const problems = new Problems();
  const fragments: Fragment[] = [];
  const content = readTables(file.document, file.file, new Reading(phase, parameters, problems, fragments));
  await checkFragments(fragments, problems);
  return { content, problems };
}
