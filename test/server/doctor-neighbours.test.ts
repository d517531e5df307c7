import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { look, looking, of } from '../support/doctor.js';
import { itemsTenant, writeItems } from '../support/items.js';
import { startPgBouncer } from '../support/pgbouncer.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

let test: TestDatabase;
const items = writeItems();

beforeAll(async () => {
  test = await createTestDatabase();
  await test.exec(itemsTenant('tenant_a', { rows: 10 }));
  await test.exec(itemsTenant('tenant_b'));
});
afterAll(async () => {
  await test?.drop();
  items.remove();
});

const { seen, mend, eventually, withRole } = looking(() => test, items.directory);

/** Another database of the same server. */
function other(name: string): string {
  const url = new URL(test.url);
  url.pathname = `/${name}`;
  return url.href;
}

describe('doctor, of whoever else is there', () => {
  it('tells a long transaction that holds a snapshot, who it is, and how to end it', async () => {
    const client = await test.connect();
    await client.query("SET application_name = 'nightly report'");
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    const options = { run: { longTransaction: 0 } };
    const [finding] = of(await seen(options), 'long-transactions');
    expect(finding).toMatchObject({ severity: 'warning', subjects: { count: 1 } });
    expect(finding?.subjects.shown[0]).toMatch(/nightly report.*idle in transaction/u);
    expect(of(await seen(), 'long-transactions')).toMatchObject([{ severity: 'ok' }]);
    expect(await mend('long-transactions', options)).toBe(1);
    await eventually('long-transactions', options);
  });

  it('tells INVALID indexes: those that apply mends, others with their statement, and those being built', async () => {
    await test.exec('CREATE TABLE tenant_b."Extra" (a int)');
    await test.exec('INSERT INTO tenant_b."Extra" VALUES (1), (1)');
    await expect(test.exec('CREATE UNIQUE INDEX CONCURRENTLY "Extra_a" ON tenant_b."Extra" (a)')).rejects.toThrow();
    await test.exec('CREATE INDEX extra_ccnew ON tenant_b."Extra" (a)');
    await test.exec(`UPDATE pg_index SET indisvalid = false
      WHERE indexrelid IN ('tenant_a.items_name'::regclass, 'tenant_b.extra_ccnew'::regclass)`);
    const builder = await test.connect();
    await builder.query('BEGIN; LOCK TABLE tenant_a.items IN SHARE UPDATE EXCLUSIVE MODE');
    expect(of(await seen(), 'invalid-indexes')).toMatchObject([
      { severity: 'note', subjects: { shown: ['tenant_a.items_name on items'] } },
      { severity: 'warning', subjects: { count: 2 } },
    ]);
    await builder.query('ROLLBACK');
    await builder.end();
    expect(of(await seen(), 'invalid-indexes')).toMatchObject([
      { severity: 'warning', statements: [], remedy: expect.stringContaining('trueup apply') },
      {
        statements: ['REINDEX INDEX CONCURRENTLY tenant_b."Extra_a"', 'DROP INDEX CONCURRENTLY tenant_b.extra_ccnew'],
      },
    ]);
    await test.exec('DELETE FROM tenant_b."Extra"');
    expect(await mend('invalid-indexes')).toBe(2);
    await test.exec('REINDEX INDEX tenant_a.items_name');
    await eventually('invalid-indexes');
    await test.exec('DROP TABLE tenant_b."Extra"');
  });

  it('tells that the connections do not suffice, of the server and of the role', async () => {
    expect(of(await seen({ run: { concurrency: 1000 } }), 'connections')).toMatchObject([
      { severity: 'problem', what: expect.stringContaining('apply opens 1000') },
    ]);
    await withRole('CONNECTION LIMIT 3', async (url) => {
      expect(of(await seen({ run: { concurrency: 3 } }, url), 'connections')).toMatchObject([{ severity: 'ok' }]);
      expect(of(await seen({}, url), 'connections')).toMatchObject([{ severity: 'problem' }]);
      expect(await mend('connections', {}, url)).toBe(1);
      expect(of(await seen({}, url), 'connections')).toMatchObject([{ severity: 'ok' }]);
    });
  });

  it('looks on where a catalog may not be read, and says that it could not look', async () => {
    await test.exec('REVOKE SELECT ON pg_catalog.pg_prepared_xacts FROM PUBLIC');
    try {
      await withRole('', async (url) => {
        const all = await seen({}, url);
        expect(of(all, 'prepared-transactions')).toMatchObject([
          { looked: false, severity: 'note', why: expect.stringContaining('42501') },
        ]);
        expect(of(all, 'invalid-indexes')).toMatchObject([{ severity: 'ok' }]);
      });
    } finally {
      await test.exec('GRANT SELECT ON pg_catalog.pg_prepared_xacts TO PUBLIC');
    }
  });

  it.each([
    ['transaction', 'problem'],
    ['session', 'ok'],
  ] as const)('R7: tells a pooler in %s mode: %s', async (mode, severity) => {
    const pooler = await startPgBouncer(test.url, mode);
    try {
      const all = await seen({}, pooler.url);
      expect(of(all, 'pooler')).toMatchObject([{ severity, what: expect.stringMatching(/pooler|one that gives/u) }]);
      expect(of(all, 'tenants')).toMatchObject([{ what: '2 tenants' }]);
    } finally {
      await pooler.stop();
    }
  });

  it.each([
    ['2', 'ok', 'one that gives each session a backend of its own'],
    ['1', 'warning', 'no second connection is free'],
  ] as const)(
    'R7: tells a pooler with %s backends, and does not wait for more of them: %s',
    async (size, severity, what) => {
      const pooler = await startPgBouncer(test.url, 'session', { default_pool_size: size, query_wait_timeout: '30' });
      try {
        const began = Date.now();
        const all = await seen({}, pooler.url);
        expect(of(all, 'pooler')).toMatchObject([{ severity, what: expect.stringContaining(what) }]);
        expect(Date.now() - began).toBeLessThan(15_000);
      } finally {
        await pooler.stop();
      }
    },
  );

  it('tells a role whose transactions are read only, and how to change it', async () => {
    await withRole('', async (url, role) => {
      await test.exec(`ALTER ROLE ${role} SET default_transaction_read_only = on`);
      expect(of(await seen({}, url), 'server')).toMatchObject([{ severity: 'problem' }]);
      expect(await mend('server', {}, url)).toBe(1);
      await eventually('server', {}, url);
    });
  });

  it('tells an encoding that is not UTF8', async () => {
    await test.query(`CREATE DATABASE ${test.name}_l TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
    try {
      const [finding] = of(await seen({}, other(`${test.name}_l`)), 'encoding');
      expect(finding).toMatchObject({ severity: 'warning', what: expect.stringContaining('LATIN1') });
    } finally {
      await test.query(`DROP DATABASE ${test.name}_l`);
    }
  });

  it('tells a schema that looks like a tenant, and that there is none', async () => {
    const none = await createTestDatabase();
    try {
      expect(of(await look(none.url), 'tenants')).toMatchObject([{ severity: 'warning', what: 'no tenant found' }]);
      await none.exec('CREATE SCHEMA half; CREATE TABLE half.banks ()');
      expect(of(await look(none.url), 'tenants')).toMatchObject([
        { what: 'no tenant found' },
        { severity: 'warning', subjects: { shown: ['half: has banks, lacks memory_units'] } },
      ]);
    } finally {
      await none.drop();
    }
  });

  it('reports several databases, and one that cannot be reached hides none of the others', async () => {
    const all = await look({ eu: test.url, us: other('no_such') }, { directory: items.directory });
    expect(all.databases).toMatchObject([{ id: 'eu', tenants: 2 }]);
    expect(all.failedDatabases).toMatchObject([{ database: 'us', code: 'CONNECTION_FAILED' }]);
    await expect(seen({}, other('no_such'))).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('ends with 2 for a problem and with 0 without one, from the command line', async () => {
    const run = (...more: readonly string[]) => {
      const words = [RUN, 'doctor', '--desired-state', items.directory, '--json', ...more];
      const env = { PATH: process.env.PATH, TRUEUP_DATABASE_URL: test.url };
      return spawnSync(process.execPath, words, { encoding: 'utf8', env, timeout: 60_000 });
    };
    const well = run('--schema', 'tenant_a');
    expect(well.status, well.stderr).toBe(0);
    expect(JSON.parse(well.stdout)).toMatchObject({ databases: [{ tenants: 1 }], summary: { problems: 0 } });
    const short = run('--concurrency', '1000');
    expect(short.status).toBe(2);
    expect(JSON.parse(short.stdout)).toMatchObject({ summary: { problems: 1 } });
    const typo = run('--schema', 'tenant_aa');
    expect(typo.status).toBe(1);
    expect(JSON.parse(typo.stdout)).toMatchObject({ error: { code: 'UNKNOWN_SCHEMA' } });
  });
});
