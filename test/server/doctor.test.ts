import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { looking, of, troubles } from '../support/doctor.js';
import { openFleet } from '../support/fleet.js';
import { itemsTenant, writeItems } from '../support/items.js';
import { startServer, type TestServer } from '../support/postgres/server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let server: TestServer;
let test: TestDatabase;
const items = writeItems();

beforeAll(async () => {
  // A small lock table: 10 * (40 + 4).
  const settings = { max_prepared_transactions: '4', max_connections: '40', max_locks_per_transaction: '10' };
  server = await startServer({ settings });
  test = await createTestDatabase({ server });
  await test.exec(itemsTenant('tenant_a', { rows: 10 }));
  await test.exec(itemsTenant('tenant_b'));
});
afterAll(async () => {
  await test?.drop();
  await server?.remove();
  items.remove();
});

const { seen, mend, eventually, withRole } = looking(() => test, items.directory);

describe('doctor, of the server', () => {
  it('finds nothing amiss where nothing is, and says what it looked at', async () => {
    const all = await seen();
    expect(troubles(all)).toEqual([]);
    expect(of(all, 'tenants')).toMatchObject([{ what: '2 tenants' }]);
    expect(all.databases[0]?.findings.every(({ looked, statements }) => looked && statements.length === 0)).toBe(true);
  });

  it('sends the same number of statements for 2 tenants and for 52, and locks none of their tables', async () => {
    const few: string[] = [];
    await seen({ statements: few });
    for (let at = 0; at < 50; at += 1) await test.exec(itemsTenant(`many_${at}`));
    const many: string[] = [];
    try {
      // In ACCESS EXCLUSIVE: any lock of a reader's would wait for it.
      const holder = await test.connect();
      await holder.query('BEGIN; LOCK TABLE tenant_a.items, many_7.items IN ACCESS EXCLUSIVE MODE');
      expect(of(await seen({ statements: many }), 'tenants')).toMatchObject([{ what: '52 tenants' }]);
      await holder.query('ROLLBACK');
      await holder.end();
    } finally {
      for (let at = 0; at < 50; at += 1) await test.exec(`DROP SCHEMA many_${at} CASCADE`);
    }
    expect(many.length).toBe(few.length);
    expect(many.filter((sql) => /items|\btenant_a\b/u.test(sql))).toEqual([]);
  });

  it('tells a prepared transaction, and how to end it', async () => {
    const client = await test.connect();
    await client.query(`BEGIN; INSERT INTO tenant_a.items VALUES (77, 'x'); PREPARE TRANSACTION 'it''s \\ mine'`);
    await client.end();
    const options = { run: { longTransaction: 0 } };
    const [finding] = of(await seen(options), 'prepared-transactions');
    expect(finding).toMatchObject({ severity: 'warning', what: expect.stringMatching(/^1 transaction prepared/u) });
    expect(of(await seen(), 'prepared-transactions')).toMatchObject([{ severity: 'ok' }]);
    expect(await mend('prepared-transactions', options)).toBe(1);
    await eventually('prepared-transactions', options);
  });

  it('tells a replication slot that nobody reads, and how to drop it', async () => {
    await test.query("SELECT pg_create_physical_replication_slot('left_over', true)");
    const [finding] = of(await seen(), 'replication-slots');
    expect(finding).toMatchObject({ severity: 'warning', subjects: { count: 1 } });
    expect(finding?.subjects.shown[0]).toMatch(/^"left_over" \(physical, no reader, keeps .* of WAL\)$/u);
    expect(await mend('replication-slots')).toBe(1);
    await eventually('replication-slots');
  });

  it('tells a lock table that is too small for the busiest table, with the setting that would do', async () => {
    const indexes = Array.from({ length: 130 }, (_, at) => `CREATE INDEX busy_${at} ON tenant_b.items (note);`);
    await test.psql(indexes.join('\n'));
    const [finding] = of(await seen(), 'lock-table');
    expect(finding).toMatchObject({
      severity: 'problem',
      what: expect.stringMatching(/tenant_b\.items, has 133 indexes.* 440 locks: 3 statements/u),
      statements: ['ALTER SYSTEM SET max_locks_per_transaction = 192'],
    });
    // It takes effect with a restart, which is not this test's to make.
    expect(await mend('lock-table')).toBe(1);
    await test.query('ALTER SYSTEM RESET max_locks_per_transaction');
    await test.psql(indexes.map((_, at) => `DROP INDEX tenant_b.busy_${at};`).join('\n'));
    await eventually('lock-table');
  });

  it('tells what a role lacks for plan and for apply, and each grant mends it', async () => {
    await withRole('', async (_, owner) => {
      await test.exec(`CREATE SCHEMA owned; CREATE TABLE owned.items (id bigint);
        ALTER SCHEMA owned OWNER TO ${owner}; ALTER TABLE owned.items OWNER TO ${owner}`);
      const options = { schemas: ['owned'] };
      await withRole('', async (url, role) => {
        const lacks = async () =>
          of(await seen(options, url), 'privileges').map(({ severity, statements }) => [severity, ...statements]);
        // No family: a plan needs no row of it.
        expect(await lacks()).toEqual([
          ['warning', `GRANT pg_read_all_data TO ${role}`],
          ['warning', `GRANT ${owner} TO ${role}`],
          ['note', `GRANT pg_read_all_stats TO ${role}`],
        ]);
        expect(await mend('privileges', options, url)).toBe(3);
        expect(await lacks()).toEqual([['ok']]);
      });
      // A member that does not inherit may become the owner: another grant would change nothing.
      await withRole('NOINHERIT', async (url, role) => {
        await test.exec(`GRANT ${owner} TO ${role}`);
        const [finding] = of(await seen(options, url), 'privileges').filter(({ what }) => what.includes('which owns'));
        expect(finding).toMatchObject({ statements: [], remedy: expect.stringContaining(`--role ${owner}`) });
      });
    });
  });

  it('tells of a schema that the role may not use as plan finds it: a problem only where rows make indexes', async () => {
    const severities = async (url: string, directory: string) => {
      const options = { directory, schemas: ['tenant_a'] };
      const [usage] = of(await seen(options, url), 'privileges').filter(({ what }) => what.includes('may not use'));
      const reader = await openFleet(url);
      try {
        return [usage?.severity, (await reader.plan(options)).summary.unreadable];
      } finally {
        await reader.close();
      }
    };
    const family = mkdtempSync(join(tmpdir(), 'trueup-family-'));
    cpSync(items.directory, family, { recursive: true });
    const lines = [
      '    index_families:',
      "      - name: 'items_of_${item.id}'",
      '        for_each: { item: { table: items, values: { id: id } } }',
      '        keys: [note]',
      "        where: 'id = ${item.id}'",
    ];
    appendFileSync(join(family, 'base.yaml'), `${lines.join('\n')}\n`);
    try {
      await withRole('', async (url) => {
        expect(await severities(url, items.directory)).toEqual(['warning', 0]);
        expect(await severities(url, family)).toEqual(['problem', 1]);
      });
    } finally {
      rmSync(family, { recursive: true, force: true });
    }
  });

  it('tells no role to become a member of a superuser', async () => {
    await withRole('', async (url) => {
      const [finding] = of(await seen({}, url), 'privileges').filter(({ what }) => what.includes('which owns'));
      expect(finding).toMatchObject({
        what: expect.stringContaining('privileges of role postgres, which owns tables of 2 tenants'),
        statements: [],
        remedy: expect.stringContaining('superuser'),
      });
    });
  });

  it('tells a role that may not use PL/pgSQL, and how to let it', async () => {
    await withRole('', async (url, role) => {
      await test.exec(`CREATE SCHEMA hardened; CREATE TABLE hardened.items (id bigint);
        ALTER SCHEMA hardened OWNER TO ${role}; ALTER TABLE hardened.items OWNER TO ${role};
        GRANT pg_read_all_stats TO ${role}; REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC`);
      const options = { schemas: ['hardened'] };
      expect(of(await seen(options, url), 'privileges')).toMatchObject([
        { severity: 'warning', statements: [`GRANT USAGE ON LANGUAGE plpgsql TO ${role}`] },
      ]);
      expect(await mend('privileges', options, url)).toBe(1);
      await eventually('privileges', options, url);
      await test.exec('GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC');
    });
  });

  it('tells a role that owns tenants which shared tables it may not make keys onto, and how to let it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'trueup-shared-'));
    cpSync(items.directory, directory, { recursive: true });
    const key = 'columns: [note], references: { schema: shared, table: countries, columns: [code] }';
    appendFileSync(join(directory, 'base.yaml'), `    foreign_keys: [{ name: items_note_fkey, ${key} }]\n`);
    const options = { directory, schemas: ['keyed'] };
    try {
      await withRole('', async (url, role) => {
        await test.exec(`CREATE SCHEMA keyed; CREATE TABLE keyed.items (id bigint); ALTER SCHEMA keyed OWNER TO ${role};
          CREATE SCHEMA shared; CREATE TABLE shared.countries (code text PRIMARY KEY);
          GRANT pg_read_all_stats, pg_read_all_data TO ${role}`);
        const told = async () => of(await seen(options, url), 'privileges').map(({ what }) => what);
        const onto = `role ${role} may not make foreign keys onto 1 table that tenants share`;
        expect(await told()).not.toContain(onto);
        await test.exec(`ALTER TABLE keyed.items OWNER TO ${role}`);
        expect(await told()).toEqual([onto]);
        expect(await mend('privileges', options, url)).toBe(2);
        await eventually('privileges', options, url);
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('tells that a role may not create in the schema of its own tables, and how to let it', async () => {
    await withRole('', async (url, role) => {
      await test.exec(`CREATE SCHEMA own; CREATE TABLE own.items (id bigint); ALTER TABLE own.items OWNER TO ${role};
        GRANT USAGE ON SCHEMA own TO ${role}; GRANT pg_read_all_stats TO ${role}`);
      const options = { schemas: ['own'] };
      expect(of(await seen(options, url), 'privileges')).toMatchObject([
        { severity: 'warning', statements: [`GRANT CREATE ON SCHEMA own TO ${role}`] },
      ]);
      expect(await mend('privileges', options, url)).toBe(1);
      await eventually('privileges', options, url);
    });
  });

  it.each([
    ['autovacuum', 'ALTER SYSTEM SET autovacuum = off', 'autovacuum', 'warning'],
    ['deadlock_timeout', "ALTER SYSTEM SET deadlock_timeout = '300ms'", 'deadlock-timeout', 'problem'],
  ] as const)(
    'tells %s that is not as it should be, and how to set it',
    async (setting, statement, check, severity) => {
      await test.query(statement);
      await test.query('SELECT pg_reload_conf()');
      for (const end = Date.now() + 10_000; Date.now() < end; await sleep(50))
        if (of(await seen(), check).some((finding) => finding.severity !== 'ok')) break;
      expect(of(await seen(), check)).toMatchObject([{ severity }]);
      expect(await mend(check)).toBe(2);
      await eventually(check);
      await test.query(`ALTER SYSTEM RESET ${setting}`);
    },
  );

  it('tells a library that the server must preload for an extension, and how to add it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'trueup-preload-'));
    writeFileSync(
      join(directory, 'fleet.yaml'),
      'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]\n',
    );
    writeFileSync(
      join(directory, 'base.yaml'),
      'extensions: [{ name: pg_trgm, preload: pg_trgm }]\ntables: { items: { columns: { id: bigint } } }\n',
    );
    try {
      await test.exec('CREATE EXTENSION pg_trgm');
      const options = { directory };
      await withRole('', async (url) => {
        expect(of(await seen(options, url), 'extensions')).toMatchObject([
          { severity: 'note', what: expect.stringContaining('hidden') },
        ]);
      });
      expect(of(await seen(options), 'extensions')).toMatchObject([{ severity: 'problem' }]);
      expect(await mend('extensions', options)).toBe(1);
      await test.disconnect();
      await server.restart();
      expect(of(await seen(options), 'extensions')).toMatchObject([{ severity: 'ok' }]);
    } finally {
      await test.exec('ALTER SYSTEM RESET shared_preload_libraries');
      await test.exec('DROP EXTENSION pg_trgm');
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('N5: works on a hot standby, where apply is impossible', async () => {
    const standby = await startServer({
      standbyOf: server,
      settings: { max_prepared_transactions: '4', max_connections: '40', max_locks_per_transaction: '10' },
    });
    try {
      const all = await seen({}, standby.url(test.name));
      expect(troubles(all)).toEqual(['server problem']);
      expect(of(all, 'server')).toMatchObject([{ what: expect.stringContaining('hot standby') }]);
    } finally {
      await standby.remove();
    }
  });
});
