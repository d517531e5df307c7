import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { createTestDatabase } from '../support/test-database.js';
import { takeBack } from './apply-cases.js';
import { withClient } from './build-fleet.js';
import { prepareFleet } from './fleet.js';
import { givenServer, startFleetServer } from './fleet-server.js';
import { runBench } from './run-bench.js';
import { loadShipped } from './shipped.js';
import { benchTables } from './tables.js';
import { updateDocs } from './update-docs.js';

const DOCS = new URL('../../docs/performance.md', import.meta.url);

/** Every command is started twice; a busy machine takes seconds for each. */
const PATIENCE = 240_000;

it('what an apply added is taken back without a trace, however often, and can be added again', async () => {
  const test = await createTestDatabase();
  const table = 'bench_00000.directives';
  try {
    await test.exec(`CREATE SCHEMA bench_00000; CREATE TABLE ${table} (id int, created_at timestamptz)`);
    const columns = () =>
      test.query(
        `SELECT relnatts n, array(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 ORDER BY attnum) names
           FROM pg_class c WHERE oid = '${table}'::regclass`,
      );
    const before = await columns();
    for (let round = 1; round <= 3; round += 1) {
      await test.exec(`ALTER TABLE ${table} ADD COLUMN bench_note text;
        CREATE INDEX idx_directives_bench_created ON ${table} (created_at)`);
      await takeBack(test.url, ['bench_00000']);
      expect(await columns()).toEqual(before);
      expect(await test.query(`SELECT * FROM ${table}`)).toEqual([]);
    }
  } finally {
    await test.drop();
  }
});

it('measures a small fleet to the end, with every figure and promise in its document', {
  timeout: PATIENCE,
}, async () => {
  const test = await createTestDatabase();
  try {
    const server = { ...givenServer(test.url), bin: inject('testServer').bin };
    const request = { size: { tenants: 6, banks: 2 }, runs: 1, fresh: false, plans: false, say: () => {} };
    const document = await runBench(server, request);

    const figures = new Map(document.figures.map((figure) => [figure.id, figure]));
    expect([...figures.keys()]).toEqual([
      ...['plan', 'plan-extensions', 'plan-skip', 'plan-floor', 'plan-floor-session', 'probing'],
      ...['help', 'validate', 'node'],
      ...['provision', 'provision-library', 'provision-floor'],
      ...['apply-1', 'applying-1', 'apply-floor-1', 'apply-4', 'applying-4', 'apply-floor-4', 'plan-drift'],
    ]);
    for (const { id, seconds, runs, peakMemory, wire, tenants } of figures.values()) {
      expect(runs, id).toHaveLength(1);
      expect(seconds.min, id).toBeGreaterThan(0);
      const isTrueup = !/floor|probing|library/u.test(id);
      expect(peakMemory === null, id).toBe(!isTrueup);
      if (isTrueup) expect(peakMemory, id).toBeGreaterThan(10_000_000);
      if (tenants > 0 && !/session|library|provision-floor|applying/u.test(id))
        expect(wire?.statements, id).toBeGreaterThan(0);
      else expect(wire, id).toBeNull();
    }
    expect(figures.get('probing')?.wire).toMatchObject({ connections: 12, statements: 6 * 32 });
    expect(figures.get('apply-floor-4')?.wire?.connections).toBe(3);
    expect(document.fleet).toMatchObject({ tenants: 6, banks: 2 });
    expect(document.firstPlanSeconds).toBeGreaterThan(0);
    expect(document.fleet.relations).toBeGreaterThan(600);
    expect(document.targets.map((target) => target.id)).toEqual([
      ...['extensions-against-probing', 'plan-against-floor', 'plan-seconds', 'memory'],
      ...['apply-against-psql-1', 'apply-against-psql-4'],
      ...['applying-against-psql-1', 'applying-against-psql-4', 'provision', 'help', 'validate'],
    ]);
    for (const target of document.targets) expect(target.measured, target.id).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);

    const tables = benchTables(document);
    for (const { label } of document.figures) expect(tables).toContain(`| ${label}`);
    for (const { text } of document.targets) expect(tables).toContain(`| ${text}`);
    expect(tables).not.toMatch(/NaN|undefined|null/u);

    // The fleet is as it was built, and no copy of it is left.
    const left = await withClient(test.url, (client) =>
      client.query(`SELECT (SELECT count(*)::int FROM pg_namespace WHERE nspname LIKE 'bench\\_%') AS schemas,
                           (SELECT count(*)::int FROM pg_database WHERE datname = current_database() || '_bench_copy') AS copies,
                           (SELECT count(*)::int FROM pg_attribute WHERE attisdropped) AS dropped`),
    );
    expect(left.rows).toEqual([{ schemas: 6, copies: 0, dropped: 0 }]);
  } finally {
    await test.drop();
  }
});

it('keeps a fleet of its own server, and builds it anew when it is asked to', { timeout: PATIENCE }, async () => {
  const keep = mkdtempSync(join(tmpdir(), 'trueup-keep-'));
  // The server may run as another account.
  chmodSync(keep, 0o755);
  try {
    const size = { tenants: 2, banks: 1 };
    const desired = await loadShipped();
    const prepared = async (fresh: boolean) => {
      const server = await startFleetServer(size, keep);
      try {
        const said: string[] = [];
        await prepareFleet(server, { desired, size, fresh, say: (line) => said.push(line) });
        await expect(startFleetServer(size, keep)).rejects.toThrow(/another process uses the cluster/u);
        return said;
      } finally {
        await server.stop();
      }
    };
    expect(await prepared(false)).toEqual(['built 2 of 2 tenants']);
    expect(await prepared(false)).toEqual([expect.stringContaining('using the fleet that was built before')]);
    expect(await prepared(true)).toEqual(['built 2 of 2 tenants']);
  } finally {
    rmSync(keep, { recursive: true, force: true, maxRetries: 5 });
  }
});

it('does not touch a given database that holds other schemas', async () => {
  const test = await createTestDatabase();
  try {
    await test.exec('CREATE SCHEMA somebody');
    const request = { desired: await loadShipped(), size: { tenants: 1, banks: 1 }, fresh: false, say: () => {} };
    await expect(prepareFleet(givenServer(test.url), request)).rejects.toThrow(/give an empty one/u);
    expect(await test.query(`SELECT nspname FROM pg_namespace WHERE nspname ~ '^bench'`)).toEqual([]);
  } finally {
    await test.drop();
  }
});

it('writes its tables between the markers of the documentation, and nowhere else', () => {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-docs-'));
  try {
    const file = join(directory, 'performance.md');
    const before = readFileSync(DOCS, 'utf8');
    writeFileSync(file, before);
    updateDocs(file, 1000, '| a table |');
    updateDocs(file, 1000, '| another table |');
    const after = readFileSync(file, 'utf8');
    const outside = (text: string) =>
      text.replace(/(<!-- bench of 1000 tenants: begin -->)[\s\S]*(<!-- bench of 1000 tenants: end -->)/u, '$1$2');
    expect(after).toContain('| another table |');
    expect(after).not.toContain('| a table |');
    expect(outside(after)).toBe(outside(before));
    expect(() => updateDocs(file, 7, '')).toThrow(/no place for a fleet of 7 tenants/u);
    expect(() => updateDocs(file, 10_000, '')).not.toThrow();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
