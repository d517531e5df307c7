import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectServer } from '../../src/database/pg-database.js';
import type { Database, Session } from '../../src/database/session.js';
import { resolveTarget } from '../../src/database/target.js';
import { encryptServer, type TestCertificates } from '../support/certificates.js';
import { startServer, type TestServer } from '../support/postgres/server.js';
import { testSessions } from '../support/sessions.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let server: TestServer;
let test: TestDatabase;
let certificates: TestCertificates;
const sessions = testSessions();
/** Has had a session of the server while that had no TLS. */
let early: Database;

beforeAll(async () => {
  server = await startServer();
  test = await createTestDatabase({ server });
  const target = resolveTarget({ databaseUrl: `${test.url}?sslmode=prefer`, environment: {}, variables: [] });
  if (target.kind !== 'server') throw new Error('not a server');
  early = connectServer(target, { id: 'main', maxSessions: 2 });
  const plain = await early.connect();
  expect(await isEncrypted(plain)).toBe(false);
  await plain.close();
  certificates = await encryptServer(server, test);
});
afterEach(() => sessions.close());
afterAll(async () => {
  await early?.close();
  await server.remove();
});

async function isEncrypted(session: Session): Promise<boolean> {
  const [row] = await session.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  return row?.ssl === true;
}

/** Connects by this host name and these parameters; says whether the connection is encrypted, or why there is none. */
async function connect(host: string, parameters: Readonly<Record<string, string>>): Promise<string> {
  const url = new URL(test.url);
  url.hostname = host;
  url.search = new URLSearchParams(parameters).toString();
  try {
    const session = await sessions.open(url.href);
    return (await isEncrypted(session)) ? 'encrypted' : 'plain';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe('TLS, as in libpq', () => {
  it.each([
    ['disable', 'plain'],
    ['allow', 'plain'],
    ['prefer', 'encrypted'],
    ['require', 'encrypted'],
  ])('sslmode=%s without a root certificate: %s', async (sslmode, expected) => {
    expect(await connect('localhost', { sslmode })).toBe(expected);
    expect(await connect('127.0.0.1', { sslmode })).toBe(expected);
  });

  it.each([
    ['require', 'localhost', 'authority', /^encrypted$/u],
    ['require', 'localhost', 'stranger', /certificate|signature/u],
    ['verify-ca', 'localhost', 'authority', /^encrypted$/u],
    ['verify-ca', '127.0.0.1', 'authority', /^encrypted$/u],
    ['verify-ca', 'localhost', 'stranger', /certificate|signature/u],
    ['verify-full', 'localhost', 'authority', /^encrypted$/u],
    ['verify-full', '127.0.0.1', 'authority', /does not match|altnames/u],
    ['verify-full', 'localhost', 'stranger', /certificate|signature/u],
  ] as const)('sslmode=%s at %s with the certificate of the %s: %s', async (sslmode, host, whose, expected) => {
    expect(await connect(host, { sslmode, sslrootcert: certificates[whose] })).toMatch(expected);
  });

  it.each(['verify-ca', 'verify-full'])('sslmode=%s never connects with nothing to verify by', async (sslmode) => {
    expect(await connect('localhost', { sslmode })).toMatch(/needs a root certificate/u);
    expect(await connect('localhost', { sslmode, sslrootcert: '/no/such/file' })).toMatch(/cannot be read/u);
  });

  it('sslmode=prefer finds its way to a server that has come to demand TLS since the last session', async () => {
    const [row] = await test.query<{ file: string }>(`SELECT current_setting('hba_file') file`);
    const file = row?.file ?? '';
    writeFileSync(file, `hostnossl all all 127.0.0.1/32 reject\n${readFileSync(file, 'utf8')}`);
    await test.query('SELECT pg_reload_conf()');
    await vi.waitFor(async () => {
      const session = await early.connect();
      const encrypted = await isEncrypted(session);
      await session.close();
      expect(encrypted).toBe(true);
    }, 10_000);
  });
});
