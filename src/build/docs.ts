// What `npm run docs` does, from the sources: writes the references in docs. With --check it writes nothing, and ends with 1
// when one of them is not what it would write.
import { readFile, writeFile } from 'node:fs/promises';
import { commandReference } from './command-reference.js';
import { formatReference } from './format-reference.js';

const root = new URL('../../', import.meta.url);
const pages = {
  'docs/command-reference.md': await commandReference(new URL('bin/dev.js', root).href, { development: true }),
  'docs/format-reference.md': formatReference(),
};
for (const [path, text] of Object.entries(pages)) {
  const file = new URL(path, root);
  if (!process.argv.includes('--check')) await writeFile(file, text);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    process.stderr.write(`${path} is out of date: npm run docs\n`);
    process.exitCode = 1;
  }
}
