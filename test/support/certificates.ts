import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestServer } from './postgres/server.js';
import type { TestDatabase } from './test-database.js';

/** Files of certificates that openssl has made. */
export interface TestCertificates {
  /** Of the authority that has signed the server's certificate. */
  readonly authority: string;
  /** Of another authority. */
  readonly stranger: string;
}

/** Turns TLS on: with a certificate for the name `localhost`, and for no address. */
export async function encryptServer(server: TestServer, database: TestDatabase): Promise<TestCertificates> {
  const { directory } = server;
  const path = (name: string) => join(directory, name);
  const openssl = (...argv: readonly string[]) => execFileSync('openssl', argv, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const name of ['authority', 'stranger'])
    openssl(
      'req',
      '-x509',
      ...key,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
    );
  openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(path('names'), 'subjectAltName=DNS:localhost\n');
  openssl(
    ...['x509', '-req', '-in', 'server.csr', '-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial'],
    ...['-days', '2', '-extfile', 'names', '-out', 'server.crt'],
  );
  // The server refuses a key that others may read, and must be able to read it itself.
  const { uid, gid } = statSync(directory);
  chmodSync(path('server.key'), 0o600);
  chownSync(path('server.key'), uid, gid);
  await database.query(`ALTER SYSTEM SET ssl_cert_file = '${path('server.crt')}'`);
  await database.query(`ALTER SYSTEM SET ssl_key_file = '${path('server.key')}'`);
  await database.query('ALTER SYSTEM SET ssl = on');
  await server.restart();
  return { authority: path('authority.crt'), stranger: path('stranger.crt') };
}
