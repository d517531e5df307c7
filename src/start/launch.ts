import { readFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import type { start } from './start.js';

/** What the bundle exports. */
export interface Program {
  readonly start: typeof start;
}

/** The program in one file, which the build makes of dist/start/start.js and everything that it imports. */
export const BUNDLE = fileURLToPath(new URL('../trueup.cjs', import.meta.url));

/** What V8 had compiled of the bundle when the build ran it: of use to the same version of Node, refused by others. */
export const CODE_CACHE = `${BUNDLE}.cache`;

/** Loads the program from its bundle. A third of a start is spared: some 300 files, and compiling them. */
export function loadProgram(): { readonly program: Program; readonly script: Script } {
  const source = Module.wrap(readFileSync(BUNDLE, 'utf8'));
  const script = new Script(source, { filename: BUNDLE, ...codeCache() });
  const module = { exports: {} as Program };
  const run = script.runInThisContext() as (...scope: readonly unknown[]) => void;
  run(module.exports, createRequire(BUNDLE), module, BUNDLE, dirname(BUNDLE));
  return { program: module.exports, script };
}

function codeCache(): { readonly cachedData: Buffer } | object {
  try {
    return { cachedData: readFileSync(CODE_CACHE) };
  } catch {
    return {};
  }
}
