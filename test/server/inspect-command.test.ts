import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

let test: TestDatabase;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'trueup-inspect-command-'));
  test = await createTestDatabase();
  await test.exec(`CREATE SCHEMA tenant_a; CREATE SCHEMA empty;
    CREATE TABLE tenant_a.shops (id serial PRIMARY KEY, name text NOT NULL);
    CREATE TABLE tenant_a.items (id bigint GENERATED ALWAYS AS IDENTITY, shop integer REFERENCES tenant_a.shops);
    CREATE VIEW tenant_a.names AS SELECT name FROM tenant_a.shops;`);
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await test?.drop();
});

function trueup(...argv: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...argv], {
    encoding: 'utf8',
    cwd: directory,
    timeout: 60_000,
    env: { ...process.env, TRUEUP_DATABASE_URL: test.url },
  });
  return { status, stdout, stderr };
}

describe('trueup inspect', () => {
  it('writes a directory that plan takes, and says what is left out', () => {
    const written = trueup('inspect', '--schema', 'tenant_a', '--out', 'desired-state');
    expect(written.stderr).toBe('');
    expect(written.status).toBe(0);
    expect(written.stdout).toContain('Wrote desired-state/fleet.yaml and desired-state/base.yaml.');
    expect(written.stdout).toContain('view names: the format has no plain views');
    expect(readdirSync(join(directory, 'desired-state')).toSorted()).toEqual(['base.yaml', 'fleet.yaml']);
    const base = readFileSync(join(directory, 'desired-state/base.yaml'), 'utf8');
    expect(base.split('\n')[0]).toBe(
      '# yaml-language-server: $schema=../node_modules/trueup/src/desired-state/schema/tables.schema.json',
    );
    expect(base).toContain('id: { type: integer, serial: true }');
    const plan = trueup('plan', '--detailed-exitcode', '--json');
    expect(plan.status).toBe(0);
    expect(JSON.parse(plan.stdout)).toMatchObject({ summary: { tenants: 1, inSync: 1 } });
  });

  it('refuses a directory that holds anything, and with --force overwrites its own files only', () => {
    writeFileSync(join(directory, 'desired-state/mine.txt'), 'mine');
    writeFileSync(join(directory, 'desired-state/base.yaml'), 'tables: {}\n');
    const argv = ['inspect', '--schema', 'tenant_a', '--out', 'desired-state'];
    const refused = trueup(...argv);
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('is not empty');
    expect(refused.stderr).toContain('--force');
    expect(readFileSync(join(directory, 'desired-state/base.yaml'), 'utf8')).toBe('tables: {}\n');
    expect(trueup(...argv, '--force').status).toBe(0);
    expect(readFileSync(join(directory, 'desired-state/base.yaml'), 'utf8')).toContain('shops:');
    expect(readFileSync(join(directory, 'desired-state/mine.txt'), 'utf8')).toBe('mine');
  });

  it('prints one document a file without --out, and one JSON document with --json', () => {
    const printed = trueup('inspect', '--schema', 'tenant_a');
    expect(printed.status).toBe(0);
    expect(printed.stdout).toMatch(/^---\n# fleet\.yaml\n[\s\S]*\n---\n# base\.yaml\n/u);
    const [fleet, base] = parseAllDocuments(printed.stdout).map((document) => document.toJSON());
    expect(fleet).toMatchObject({ version: 1, tenants: { having_tables: ['shops', 'items'] } });
    expect(Object.keys(base.tables)).toEqual(['shops', 'items']);
    const json = trueup('inspect', '--schema', 'tenant_a', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      formatVersion: '1.0',
      schema: 'tenant_a',
      directory: null,
      files: [{ path: 'fleet.yaml' }, { path: 'base.yaml', text: expect.stringContaining('shops:') }],
      notes: [{ what: 'view names', table: null }],
    });
  });

  it.each([
    ['tenant_b', 'did you mean "tenant_a"?', 'UNKNOWN_SCHEMA'],
    ['pg_catalog', 'never a tenant', 'UNKNOWN_SCHEMA'],
    ['empty', 'holds no table', 'TENANT_UNREADABLE'],
  ])('of schema %s ends with 1 and writes nothing', (schema, said, code) => {
    const { status, stdout, stderr } = trueup('inspect', '--schema', schema, '--out', 'nothing');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(said);
    expect(stderr).toContain(`code: ${code}`);
    expect(stderr).not.toContain('--create-schema');
    expect(existsSync(join(directory, 'nothing'))).toBe(false);
  });

  it('refuses what an interrupted run left behind', async () => {
    await test.exec('CREATE INDEX trueup_0123456789abcdef ON tenant_a.shops (name)');
    const { status, stderr } = trueup('inspect', '--schema', 'tenant_a');
    await test.exec('DROP INDEX tenant_a.trueup_0123456789abcdef');
    expect(status).toBe(1);
    expect(stderr).toContain('shops.trueup_0123456789abcdef');
  });
});
