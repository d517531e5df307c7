import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blocksOf, writeSmallExample } from '../support/docs.js';
import { type InstalledPackage, installPackage } from '../support/installed-package.js';

let installed: InstalledPackage;

beforeAll(() => {
  installed = installPackage(['@types/node']);
});

afterAll(() => installed?.remove());

it('the program of docs/api.md type checks without any types of dependencies, and prints what the page says', () => {
  const [program = ''] = blocksOf('docs/api.md', 'ts');
  const [printed = ''] = blocksOf('docs/api.md', 'text');
  writeSmallExample(installed.directory);
  writeFileSync(join(installed.directory, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(installed.directory, 'program.ts'), program);
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--verbatimModuleSyntax'];
  const form = ['--target', 'es2023', '--module', 'nodenext', '--types', 'node'];
  expect(installed.tsc(...strict, ...form, 'program.ts')).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(installed.node('program.js')).toEqual({ status: 0, stdout: printed, stderr: '' });
});
