import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { BUNDLE } from '../start/launch.js';

/**
 * Makes one file of the program: reading and compiling some 300 took a third of every start. The embedded PostgreSQL stays
 * outside, with the files that it reads from beside it.
 * @param dist the directory that tsc has just written
 */
export async function writeBundle(dist: URL): Promise<void> {
  const root = new URL('../', dist);
  const { metafile } = await build({
    absWorkingDir: fileURLToPath(root),
    entryPoints: [fileURLToPath(new URL('start/start.js', dist))],
    outfile: BUNDLE,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // V8 forgets of a script from its cache how to import; what stays outside can be required.
    supported: { 'dynamic-import': false },
    // pg looks at one to recognise Cloudflare's runtime, for which Node 20 loads its whole fetch.
    define: { Response: 'undefined' },
    external: ['@electric-sql/*', 'pg-native', 'typescript'],
    banner: { js: MODULE_URL },
    plugins: [moduleUrls(fileURLToPath(dist)), wasmFile(dist)],
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  await writeFile(BUNDLE, ascii(await readFile(BUNDLE, 'utf8')));
  await writeFile(new URL('third-party-licenses.txt', dist), licences(root, Object.keys(metafile.inputs)));
}

const MODULE_URL =
  "const moduleUrl = (path) => require('node:url').pathToFileURL(require('node:path').join(__dirname, path)).href;";

/** Keeps `import.meta.url` what it is outside of the bundle: modules find files by it. */
const moduleUrls = (dist: string): Plugin => ({
  name: 'module-urls',
  setup(bundle) {
    bundle.onLoad({ filter: /\.js$/ }, async ({ path }) => {
      if (!path.startsWith(dist)) return undefined;
      const url = `moduleUrl(${JSON.stringify(relative(dist, path))})`;
      return { contents: (await readFile(path, 'utf8')).replaceAll('import.meta.url', url) };
    });
  },
});

/** Where the SQL parser's module holds its WebAssembly, and how it reads it. */
const INLINE = /"data:application\/octet-stream;base64,([\w+/=]+)"/u;
const DECODE = 'function intArrayFromBase64(s){';
const WASM_FILE = 'pg_query.wasm';

/** Writes the SQL parser's WebAssembly beside the bundle: as text it was read, and decoded, with every start. */
const wasmFile = (dist: URL): Plugin => ({
  name: 'wasm-file',
  setup(bundle) {
    bundle.onLoad({ filter: /\/pg_query_wasm\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const inline = INLINE.exec(text);
      if (inline?.[1] === undefined || text.split(DECODE).length !== 2) {
        throw new Error(`${path} does not hold its WebAssembly as it did: see how it is read now`);
      }
      await writeFile(new URL(WASM_FILE, dist), Buffer.from(inline[1], 'base64'));
      const contents = text
        .replace(inline[0], inline[0].replace(inline[1], ''))
        .replace(DECODE, `${DECODE}return require('node:fs').readFileSync(new URL(moduleUrl('${WASM_FILE}')));`);
      return { contents };
    });
  },
});

/** Where an escape would not mean the character that it stands for: after a backslash, and to a tag that reads raw text. */
const NOT_TO_ESCAPE = /\\[\u0080-\uffff]|String\.raw`[^`]*[\u0080-\uffff]/;

/**
 * V8 holds a text with other characters in two bytes each, and reads it more slowly. esbuild leaves them in template
 * literals and regular expressions.
 */
function ascii(text: string): string {
  const hazard = NOT_TO_ESCAPE.exec(text)?.[0];
  if (hazard !== undefined) {
    throw new Error(`the bundle cannot be made ASCII: write the character in ${JSON.stringify(hazard)} as an escape`);
  }
  return text.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The licences of the packages whose files are in the bundle, which ask for it. */
function licences(root: URL, inputs: readonly string[]): string {
  const packages = inputs.flatMap(
    (path) => /^node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/u.exec(path) ?? [],
  );
  return [...new Set(packages)]
    .sort()
    .map((path) => licence(new URL(`${path}/`, root)))
    .join(`\n${'-'.repeat(80)}\n\n`);
}

function licence(directory: URL): string {
  const { name, version, license } = JSON.parse(readFileSync(new URL('package.json', directory), 'utf8')) as {
    readonly [key in 'name' | 'version' | 'license']: string;
  };
  const file = readdirSync(directory).find((candidate) => /^licen[cs]e/iu.test(candidate));
  const text = file === undefined ? `License: ${license}` : readFileSync(new URL(file, directory), 'utf8').trim();
  return `${name} ${version}\n\n${text}\n`;
}
