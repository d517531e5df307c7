import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainSchema } from '../../src/report/schemas.js';
import { problems } from '../support/closed-schema.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const FILES = {
  'fleet.yaml': `
version: 1
tenants: { having_tables: [items] }
phases:
  - { name: base, file: base.yaml }
`,
  'base.yaml': `
tables:
  items:
    columns: { id: bigint, kind: text }
    indexes: [{ name: items_kind, keys: [kind] }]
probes:
  - name: by-kind
    table: items
    index: items_kind
    partition: [kind]
    query: SELECT id FROM items WHERE kind = \${partition.kind}
    settings: { enable_seqscan: off }
    exact_rows: 10
  - name: by-nothing
    description: shows what a missing index costs
    table: items
    index: items_kind
    query: SELECT id FROM items ORDER BY id LIMIT 1
    exact_rows: 10
`,
};

let test: TestDatabase;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'trueup-explain-command-'));
  for (const [path, content] of Object.entries(FILES)) writeFileSync(join(directory, path), content);
  test = await createTestDatabase();
  for (const [schema, rows] of [
    ['large', 50],
    ['small', 5],
  ])
    await test.exec(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.items (id bigint, kind text);
      CREATE INDEX items_kind ON ${schema}.items (kind);
      INSERT INTO ${schema}.items SELECT n, CASE WHEN n % 5 = 0 THEN 'rare' ELSE 'secret kind' END FROM generate_series(1, ${rows}) n`);
  // Of many blocks, so that it is the largest by its file before any statistics are there.
  await test.exec(
    `INSERT INTO large.items SELECT n, 'x' FROM generate_series(1, 2000) n; DELETE FROM large.items WHERE kind = 'x'`,
  );
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await test?.drop();
});

function trueup(...argv: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'explain', ...argv], {
    encoding: 'utf8',
    cwd: directory,
    timeout: 60_000,
    // In a CI job a pipe has no colours either.
    env: { ...process.env, CI: 'true', TRUEUP_DATABASE_URL: test.url, TRUEUP_DESIRED_STATE: directory },
  });
  return { status, stdout, stderr };
}

describe('trueup explain', () => {
  it('ends with 0 when every probe is served, and says which tenant and partition it took', () => {
    const { status, stdout, stderr } = trueup('--probe', 'by-kind');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Tenant: large (the largest of 2; --schema names others)');
    expect(stdout).toContain('ok    by-kind (base) on large.items: index');
    expect(stdout).toContain('partition: partition.kind = … (the largest; more than 10 rows)');
    expect(stdout).not.toContain('secret');
    expect(stdout.trimEnd()).toMatch(/Explain: 1 probe, 1 ok, 0 failed\.$/u);
  });

  it('takes the partition and the tenant that are named, and shows values when asked to', () => {
    const { status, stdout } = trueup(
      '--schema',
      'small',
      '--value',
      'partition.kind=rare',
      '--show-values',
      '--analyze',
    );
    expect(status).toBe(0);
    expect(stdout).toContain('partition: partition.kind = rare (as asked for; 1 row)');
    expect(stdout).toContain('executed: 1 row in');
    expect(stdout).toContain(`query: SELECT id FROM small.items WHERE kind = 'rare'`);
  });

  it('ends with 4 when a probe failed, and with --json prints the one document of the published schema', () => {
    const { status, stdout } = trueup('--json');
    expect(status).toBe(4);
    const document = JSON.parse(stdout);
    expect(problems(explainSchema, document)).toEqual([]);
    expect(document).toMatchObject({
      formatVersion: '1.0',
      databases: [{ id: 'main', tenants: 2, schemas: ['large'] }],
      summary: { probes: 2, passed: 1, failed: 1 },
      results: [
        { probe: 'by-kind', verdict: 'index', ok: true, partition: { values: { 'partition.kind': '…' } } },
        { probe: 'by-nothing', verdict: 'sequential', ok: false, description: 'shows what a missing index costs' },
      ],
    });
    expect(trueup('--schema', 'small', '--json').status).toBe(0);
  });

  it('explains each of several databases', () => {
    const urls = ['eu', 'us'].flatMap((id) => ['--database-url', `${id}=${test.url}`]);
    const { status, stdout } = trueup(...urls, '--probe', 'by-kind');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Target eu: [\s\S]*^Target us: /mu);
    expect(stdout.match(/ok {4}by-kind \(base\) on (?:eu|us)\/large\.items: index/gu)).toHaveLength(2);
  });

  it.each([
    [['--probe', 'by-kin'], 'USAGE', 'by-kind, by-nothing'],
    [['--value', 'kind=x'], 'USAGE', 'partition.kind'],
    [['--value', 'partition.kind'], 'USAGE', 'NAME=VALUE'],
    [['--value', 'partition.kind=nothing'], 'USAGE', 'without --value'],
    [['--schema', 'larg'], 'UNKNOWN_SCHEMA', 'did you mean "large"?'],
    [['--statement-timeout', 'soon'], 'USAGE', '5s'],
  ])('ends with 1 for %j, and says what to do', (argv, code, remedy) => {
    const { status, stdout, stderr } = trueup(...argv);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`code: ${code}`);
    expect(stderr.replaceAll(/\s+/gu, ' ')).toContain(remedy);
  });

  it('ends with 1 where no probe is declared', () => {
    writeFileSync(join(directory, 'base.yaml'), FILES['base.yaml'].split('probes:')[0] ?? '');
    const { status, stderr } = trueup();
    writeFileSync(join(directory, 'base.yaml'), FILES['base.yaml']);
    expect(status).toBe(1);
    expect(stderr).toContain('declares a probe');
  });
});
