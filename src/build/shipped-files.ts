import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { parseYaml } from '../desired-state/parse-yaml.js';
import { parsedFile } from '../desired-state/parsed-file.js';
import { Problems } from '../desired-state/problems.js';
import { SHIPPED_FILES, type ShippedFiles, textKey } from '../desired-state/shipped-files.js';

/**
 * Parses the desired state that is shipped, so that no start has to.
 * @param dist the directory that tsc has just written
 */
export async function writeShippedFiles(dist: URL): Promise<void> {
  const directory = new URL('../desired-state/', dist);
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
  const files: ShippedFiles = Object.fromEntries(
    names.sort().map((name) => {
      const text = readFileSync(new URL(name, directory), 'utf8');
      const problems = new Problems();
      const file = parseYaml(name, text, problems);
      problems.throwIfAny();
      if (file === null) throw new Error(`${name} was refused without a reason`);
      return [textKey(text), parsedFile(file)];
    }),
  );
  await writeFile(new URL(`desired-state/${SHIPPED_FILES}`, dist), JSON.stringify(files));
}
