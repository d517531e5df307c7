import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { migrationLockKeys, releaseMigrationLocks, tryMigrationLocks } from '../../src/apply/migration-lock.js';
import type { Session } from '../../src/database/session.js';
import type { Checked } from '../../src/plan/check-fragments.js';
import { loadShipped } from '../support/fleet.js';
import { testSessions } from '../support/sessions.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let session: Session;
let other: Session;
const sessions = testSessions();
const directory = mkdtempSync(join(tmpdir(), 'trueup-lock-'));

beforeAll(async () => {
  test = await createTestDatabase();
  session = await sessions.open(test.url);
  other = await sessions.open(test.url);
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await sessions.close();
  await test.drop();
});

/** A small desired state with this rule. */
async function withRule(rule: string) {
  writeFileSync(
    join(directory, 'fleet.yaml'),
    `version: 1\ntenants: { base_schema: main, having_tables: [items] }\n${rule}\nphases: [{ name: base, file: base.yaml }]\n`,
  );
  writeFileSync(join(directory, 'base.yaml'), 'tables:\n  items:\n    columns: { id: bigint }\n');
  return loadShipped({ directory });
}

/** The rule of the shipped application, by another implementation. */
const expected = (schema: string): string =>
  (createHash('sha256').update(schema, 'utf8').digest().readBigUInt64BE(0) % 2n ** 31n).toString();

const NAMES = [
  'tenant_1',
  'Tenant-A',
  'tenant x',
  'select',
  "o'brien",
  'a"b',
  'back\\slash',
  '\\x4142',
  '\\\\',
  '\\101',
  'ünï',
  '日本',
  '😀',
  '%',
  'line\nbreak',
  'x'.repeat(63),
  ...Array.from({ length: 200 }, (_, at) => `numbered_${at}`),
];

describe('the lock of the application’s own migration', () => {
  it('has the key that the application takes, whatever the schema is called', async () => {
    const keys = await migrationLockKeys(session, await loadShipped(), NAMES);
    expect([...keys]).toEqual(NAMES.map((name) => [name, [expected(name)]]));
    expect(await migrationLockKeys(session, await loadShipped(), ['public'])).toEqual(
      new Map([['public', [expected('public'), '123456789']]]),
    );
  });

  it('is a tenant’s own: one that is taken leaves the others free, and all are given back', async () => {
    const desired = await withRule('migration_lock: { key: "char_length(schema)", base_schema_key: "99" }');
    await other.query('SELECT pg_advisory_lock(5), pg_advisory_lock(99)');
    const keys = await migrationLockKeys(session, desired, ['main', 'first', 'second']);
    expect([...keys.values()]).toEqual([['4', '99'], ['5'], ['6']]);
    const held = await tryMigrationLocks(session, keys);
    expect([...held]).toEqual(['second']);
    const free = async () =>
      (
        await other.query<{ key: string }>(
          `SELECT k::text AS key FROM unnest('{4,6}'::int8[]) k WHERE pg_try_advisory_xact_lock(k)`,
        )
      ).map(({ key }) => key);
    // Of the base schema's two keys one was had, and not kept.
    expect(await free()).toEqual(['4']);
    await releaseMigrationLocks(session, new Map([...keys].filter(([schema]) => held.has(schema))));
    expect(await free()).toEqual(['4', '6']);
    await other.query('SELECT pg_advisory_unlock_all()');
    expect([...(await tryMigrationLocks(session, keys))]).toEqual(['main', 'first', 'second']);
    await releaseMigrationLocks(session, keys);
  });

  it('has its expressions checked once, and one that was refused again each time', async () => {
    const checks = async (rule: string) => {
      const desired = await withRule(`migration_lock: { key: ${JSON.stringify(rule)} }`);
      const asked = vi.spyOn(session, 'query');
      const checked: Checked = new WeakSet();
      for (const schemas of [['main'], ['first']])
        await migrationLockKeys(session, desired, schemas, checked).catch(() => {});
      const count = asked.mock.calls.filter(([sql]) => sql.includes('provolatile')).length;
      asked.mockRestore();
      return count;
    };
    expect(await checks('char_length(schema)')).toBe(1);
    expect(await checks('pg_sleep(char_length(schema))')).toBe(2);
  });

  it('is none where the files name none', async () => {
    const keys = await migrationLockKeys(session, await withRule(''), ['main']);
    expect(keys).toEqual(new Map());
    expect(await tryMigrationLocks(session, keys)).toEqual(new Set());
  });

  it.each([
    ["pg_read_file('/etc/passwd')", /read_file|immutable/u],
    ['pg_sleep(1)', /pg_sleep/u],
    ['mine.key_of(schema)', /mine\.key_of/u],
    ['(select 1)', /sub-select/u],
    ['schema::regclass', /regclass/u],
    ['1; DROP TABLE x', /expression/u],
    ['length(tenant)', /column/u],
  ])('S1: a key that may do harm is never evaluated: %s', async (key, reason) => {
    const attempt = async () =>
      migrationLockKeys(session, await withRule(`migration_lock: { key: ${JSON.stringify(key)} }`), ['main']);
    await expect(attempt()).rejects.toThrow(reason);
  });
});
