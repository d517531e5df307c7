import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { itemsTenant, writeItems } from '../support/items.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const items = writeItems();
const work = mkdtempSync(join(tmpdir(), 'trueup-saved-several-'));
const file = join(work, 'plan.json');
let eu: TestDatabase;
let us: TestDatabase;
let late: TestDatabase;

beforeAll(async () => {
  [eu, us, late] = await Promise.all([createTestDatabase(), createTestDatabase(), createTestDatabase()]);
});
beforeEach(async () => {
  for (const database of [eu, us])
    await database.exec(`DROP SCHEMA IF EXISTS a CASCADE; ${itemsTenant('a', { without: ['note'] })}`);
});
afterAll(async () => {
  items.remove();
  rmSync(work, { recursive: true, force: true });
  for (const database of [eu, us, late]) await database?.drop();
});

function trueup(...argv: readonly string[]) {
  const all = [PROGRAM, ...argv, '--desired-state', items.directory, '--quiet', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { cwd: work, encoding: 'utf8', timeout: 60_000 });
  return { status, document: JSON.parse(stdout), stderr };
}
const to = (...named: readonly string[]) => named.flatMap((one) => ['--database-url', one]);
const gone = () => `gone=postgresql://127.0.0.1:1/${eu.name}?connect_timeout=2`;
const save = (...named: readonly string[]) => trueup('plan', ...to(...named), '--out', file);

it('is applied to those that it holds; one that it does not, and one that cannot be reached, hide none of the others', () => {
  const all = [`eu=${eu.url}`, `us=${us.url}`, `late=${late.url}`, gone()];
  // Neither of the last two can be planned: one has no tenant, the other is not there.
  expect(save(...all).status).toBe(1);
  const { status, document } = trueup('apply', file, ...to(...all));
  expect(document.summary).toMatchObject({ tenants: 2, converged: 2 });
  expect(document.failedDatabases).toMatchObject([
    {
      database: 'late',
      code: 'PLAN_FILE_MISMATCH',
      message: expect.stringContaining('holds no database of the name late'),
    },
    { database: 'gone', code: 'CONNECTION_FAILED' },
  ]);
  expect(status).toBe(1);
});

it('is applied to one of them alone, and says which others it holds', () => {
  expect(save(`eu=${eu.url}`, `us=${us.url}`).status).toBe(0);
  const { status, document, stderr } = trueup('apply', file, ...to(`eu=${eu.url}`));
  expect(document.summary).toMatchObject({ tenants: 1, converged: 1 });
  expect(stderr).toMatch(/the plan is of 1 database more \(us\).*left alone/u);
  expect(status).toBe(0);
});

it('is refused as a whole where a name stands for another database, and where none of the names is its own', () => {
  save(`eu=${eu.url}`, `us=${us.url}`);
  const swapped = trueup('apply', file, ...to(`eu=${us.url}`, `us=${us.url}`));
  expect(swapped.status).toBe(1);
  expect(swapped.document.error).toMatchObject({ code: 'PLAN_FILE_MISMATCH' });
  const unnamed = trueup('apply', file, ...to(eu.url));
  expect(unnamed.document.error).toMatchObject({
    code: 'PLAN_FILE_MISMATCH',
    message: 'the plan holds no database of the name main: it holds eu, us',
    remedy: expect.stringContaining('--database-url ID=URL'),
  });
});
