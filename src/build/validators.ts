import { writeFile } from 'node:fs/promises';
import type { AnySchemaObject, ValidateFunction } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import * as documents from '../desired-state/document-validators.js';
import * as planFile from '../plan/plan-file-validator.js';

/** The modules whose exports, but for `ajv`, are validators that it has compiled. */
const MODULES = [
  { path: 'desired-state/document-validators.js', exported: documents },
  { path: 'plan/plan-file-validator.js', exported: planFile },
];

/** Ajv's generated code calls for its few runtime helpers so, even as an ES module. */
const REQUIRE = `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n`;

/**
 * Replaces the modules in dist that compile JSON Schemas by the code that Ajv generates from them: compiling takes longer
 * than all else that `trueup validate` does.
 * @param dist the directory that tsc has just written
 */
export async function writeValidators(dist: URL): Promise<void> {
  for (const { path, exported } of MODULES) {
    const { ajv, ...validators } = exported;
    const ids = Object.entries<ValidateFunction<never>>(validators as never).map(
      ([name, validate]) => [name, (validate.schema as AnySchemaObject).$id] as const,
    );
    await writeFile(new URL(path, dist), REQUIRE + standalone.default(ajv, Object.fromEntries(ids)));
  }
}
