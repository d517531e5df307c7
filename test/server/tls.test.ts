import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encryptServer, type TestCertificates } from '../support/certificates.js';
import { startServer, type TestServer } from '../support/postgres/server.js';
import { testSessions } from '../support/sessions.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let server: TestServer;
let test: TestDatabase;
let certificates: TestCertificates;
const sessions = testSessions();

beforeAll(async () => {
  server = await startServer();
  test = await createTestDatabase({ server });
  certificates = await encryptServer(server, test);
});
afterEach(() => sessions.close());
afterAll(() => server.remove());

/** Connects by this host name and these parameters; says whether the connection is encrypted, or why there is none. */
async function connect(host: string, parameters: Readonly<Record<string, string>>): Promise<string> {
  const url = new URL(test.url);
  url.hostname = host;
  url.search = new URLSearchParams(parameters).toString();
  try {
    const session = await sessions.open(url.href);
    const [row] = await session.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    return row?.ssl === true ? 'encrypted' : 'plain';
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
});
