import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blocksOf, writeSmallExample } from '../support/docs.js';
import { type InstalledPackage, installPackage } from '../support/installed-package.js';

const PAGE = 'docs/quick-start.md';

let installed: InstalledPackage;

beforeAll(() => {
  installed = installPackage();
  writeSmallExample(installed.directory);
}, 120_000);

afterAll(() => installed?.remove());

/** Runs the commands of a block, under the variables that the page exports; gives how each ended. */
function ran(block: string | undefined) {
  const commands = (block ?? '').split('\n').filter((line) => line.startsWith('trueup '));
  return commands.map((line) => installed.trueup(...line.split(' ').slice(1)));
}

it('docs/quick-start.md: the fleet in the built-in PostgreSQL comes out as the page says', () => {
  const [, first, second] = blocksOf(PAGE, 'sh');
  const [converged, planned] = blocksOf(PAGE, 'text');
  const [index] = blocksOf(PAGE, 'yaml');
  const [, name = '', value = ''] = /^export (\w+)=(\S+)$/mu.exec(first ?? '') ?? [];
  installed.environment[name] = value;
  const [valid, made] = ran(first);
  expect([valid?.status, made?.status]).toEqual([0, 0]);
  expect(made?.stdout).toContain(converged);
  const base = join(installed.directory, 'desired-state', 'base.yaml');
  writeFileSync(base, `${readFileSync(base, 'utf8').trimEnd()}\n${index}`);
  const [applied] = ran(second);
  expect(applied?.stdout).toContain(planned);
  expect(applied).toMatchObject({ status: 0, stdout: expect.stringContaining('2 tenants converged') as string });
}, 120_000);
