import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { itemsTenant, writeItems } from '../support/items.js';
import { startServer, type TestServer } from '../support/postgres/server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const RUN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const PASSWORD = "s3cr:t/päss%w@rd'x";
const WRONG = 'wr0ng:gehe/m%n!s';

let server: TestServer;
let test: TestDatabase;
const items = writeItems();
const directory = mkdtempSync(join(tmpdir(), 'trueup-secrets-'));

beforeAll(async () => {
  server = await startServer();
  test = await createTestDatabase({ server });
  await test.exec(itemsTenant('tenant', { without: ['items_name'] }));
  await test.query("SET password_encryption = 'scram-sha-256'");
  await test.query(`CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '${PASSWORD.replaceAll("'", "''")}'`);
  writeFileSync(
    join(server.directory, 'data', 'pg_hba.conf'),
    'host all guarded all scram-sha-256\nhost all postgres all trust\n',
  );
  await test.query('SELECT pg_reload_conf()');
});
afterAll(async () => {
  items.remove();
  rmSync(directory, { recursive: true, force: true });
  await server.remove();
});

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function trueup(argv: readonly string[], environment: Readonly<Record<string, string>>): Promise<Result> {
  const env = { PATH: process.env.PATH, HOME: directory, ...environment };
  return new Promise((resolve) => {
    const options = { env, cwd: directory, timeout: 60_000 };
    execFile(process.execPath, [RUN, ...argv, '--desired-state', items.directory], options, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
}

/** Every way in which a password could show, and the password itself. */
function expectNone({ stdout, stderr }: Result, password: string): void {
  const forms = [
    password,
    encodeURIComponent(password),
    encodeURIComponent(password).replaceAll("'", '%27'),
    JSON.stringify(password).slice(1, -1),
    Buffer.from(password).toString('base64'),
  ];
  for (const form of forms) {
    expect(stdout).not.toContain(form);
    expect(stderr).not.toContain(form);
  }
}

/** The guarded role's URL, with one part changed. Made late: the server is not there yet when the tests are listed. */
const url =
  (password: string | null, part?: 'port' | 'hostname' | 'search', value = '') =>
  (): string => {
    const made = new URL(test.urlFor('guarded'));
    if (password !== null) made.password = encodeURIComponent(password);
    if (part !== undefined) made[part] = value;
    return made.href;
  };

const passwordFile = (password: string): string => {
  const file = join(directory, `passwords of ${password.length}`);
  writeFileSync(file, `*:*:*:guarded:${password.replaceAll(/[\\:]/gu, '\\$&')}\n`, { mode: 0o600 });
  return file;
};

/** The three ways to give a password, as an environment. */
const WAYS = {
  'the URL': (password: string) => ({ TRUEUP_DATABASE_URL: url(password)() }),
  PGPASSWORD: (password: string) => ({ TRUEUP_DATABASE_URL: url(null)(), PGPASSWORD: password }),
  'a password file': (password: string) => ({ TRUEUP_DATABASE_URL: url(null)(), PGPASSFILE: passwordFile(password) }),
} as const;

describe('R13: a password', () => {
  it.concurrent.each(Object.entries(WAYS))(
    'given by %s opens the database and is never shown',
    async (_, environment) => {
      const result = await trueup(['plan', '--json', '--verbose'], { ...environment(PASSWORD), DEBUG: '*' });
      expect(result.stdout).toContain('items_name');
      expect(result.code).toBe(0);
      expectNone(result, PASSWORD);
    },
  );

  it.concurrent.each(Object.entries(WAYS))('that is wrong, given by %s, is never shown', async (way, environment) => {
    const argv = way === 'the URL' ? ['plan'] : ['apply', '--yes', '--json'];
    const result = await trueup(argv, { ...environment(WRONG), DEBUG: '1' });
    expect(result.code).toBe(1);
    expect(`${result.stdout}${result.stderr}`).toContain('CONNECTION_FAILED');
    expect(`${result.stdout}${result.stderr}`).toMatch(/check the password/u);
    expectNone(result, WRONG);
  });

  it.concurrent.each([
    ['a port that refuses', url(PASSWORD, 'port', '1')],
    ['a host that is not there', url(PASSWORD, 'hostname', 'no-host.invalid')],
    ['a parameter that is unknown', url(PASSWORD, 'search', '?sslmode=perhaps')],
    ['an address that is none', `postgresql://guarded:${PASSWORD}@[::1/db`],
    ['a scheme that is none', `guarded:${PASSWORD}@host`],
  ])('is not shown with %s', async (_, make) => {
    const databaseUrl = typeof make === 'string' ? make : make();
    const result = await trueup(['plan', '--json', '--database-url', databaseUrl], { DEBUG: '*' });
    expect(result.code).toBe(1);
    expectNone(result, PASSWORD);
  });
});
