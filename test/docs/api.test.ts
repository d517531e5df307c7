import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blocksOf, page, writeSmallExample } from '../support/docs.js';
import { type InstalledPackage, installPackage } from '../support/installed-package.js';

let installed: InstalledPackage;

beforeAll(() => {
  installed = installPackage(['@types/node']);
}, 120_000);

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
}, 120_000);

it('docs/api.md names functions and schemas that the library exports', async () => {
  const library: object = await import(new URL('../../dist/index.js', import.meta.url).href);
  const rows = page('docs/api.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const names = rows.flatMap((row) => [...row.matchAll(/`([a-z]+[A-Z][A-Za-z]*)`/gu)].map(([, name = '']) => name));
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name) => !(name in library))).toEqual([]);
});
