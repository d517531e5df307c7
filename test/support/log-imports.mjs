// Loaded before a program (node --import): tells on standard error which modules it imports, one `import URL` a line.
import { register } from 'node:module';

const HOOKS = `
import { writeSync } from 'node:fs';
export async function load(url, context, next) {
  writeSync(2, 'import ' + url + '\\n');
  return next(url, context);
}`;

register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);
