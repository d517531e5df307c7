import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ParsedFile, yamlFile } from './parsed-file.js';
import type { YamlFile } from './yaml-file.js';

/** Beside this module, where a build has written it. */
export const SHIPPED_FILES = 'shipped-files.json';

/** The files of the package's own desired state, parsed when it was built, by {@link textKey}. */
export type ShippedFiles = Readonly<Record<string, ParsedFile>>;

let known: ShippedFiles | null = null;

/**
 * A file that the package ships, wherever it stands now, if its text is the very one that was shipped; null for any other.
 * Parsing them took a tenth of a second of every start.
 */
export function shippedFile(name: string, text: string): YamlFile | null {
  known ??= read();
  const key = textKey(text);
  const parsed = Object.hasOwn(known, key) ? known[key] : undefined;
  return parsed === undefined ? null : yamlFile(name, text, parsed);
}

/** By what a text is recognised. */
export const textKey = (text: string): string => createHash('sha256').update(text).digest('base64');

/** None where nothing was built: whatever is read is parsed then. */
function read(): ShippedFiles {
  try {
    return JSON.parse(readFileSync(new URL(SHIPPED_FILES, import.meta.url), 'utf8')) as ShippedFiles;
  } catch {
    return {};
  }
}
