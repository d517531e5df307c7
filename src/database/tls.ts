import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { ConnectionUrlError } from './connection-url.js';

/** libpq's modes. node-postgres gives some of these words another meaning, so they are carried out here. */
export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
/** One of {@link SSL_MODES}. */
export type SslMode = (typeof SSL_MODES)[number];

/** Whether libpq knows the mode. */
export const isSslMode = (word: string): word is SslMode => (SSL_MODES as readonly string[]).includes(word);

/** How a connection is encrypted, and what of the server is checked. */
export interface TlsSettings {
  readonly mode: SslMode;
  /** node-postgres's `no-verify`: encrypted, not checked, even where there is a root certificate. */
  readonly verifyNothing: boolean;
  /** The name to check the certificate against, where the connection goes to an address. */
  readonly serverName: string | null;
  /** Path, or `system` for the certificates that Node trusts. */
  readonly rootCertificate: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  readonly passphrase: string | null;
}

/** One way to connect: plain, or with these options of node:tls. */
export type TlsAttempt = false | ConnectionOptions;

/**
 * The ways to connect, to be tried in order, by libpq's table of modes: `require` encrypts and checks only where a root
 * certificate is given, `verify-ca` checks the chain and not the name, `verify-full` both.
 * @throws {ConnectionUrlError} when a file is missing, or a mode that verifies has nothing to verify with
 */
export function tlsAttempts(tls: TlsSettings): readonly TlsAttempt[] {
  if (tls.mode === 'disable') return [false];
  const encrypted = tlsOptions(tls);
  if (tls.mode === 'allow') return [false, encrypted];
  return tls.mode === 'prefer' ? [encrypted, false] : [encrypted];
}

function tlsOptions(tls: TlsSettings): ConnectionOptions {
  const system = tls.rootCertificate === 'system';
  if (system && tls.mode !== 'verify-full') {
    throw new ConnectionUrlError('sslrootcert=system goes only with sslmode=verify-full');
  }
  const demanded = tls.mode === 'verify-ca' || tls.mode === 'verify-full';
  if (demanded && tls.rootCertificate === null) {
    throw new ConnectionUrlError(
      `sslmode=${tls.mode} needs a root certificate: give sslrootcert=FILE, or sslmode=verify-full with sslrootcert=system`,
    );
  }
  const checked = demanded || (tls.mode === 'require' && tls.rootCertificate !== null && !tls.verifyNothing);
  const options: ConnectionOptions = { rejectUnauthorized: checked };
  if (checked && !system && tls.rootCertificate !== null) options.ca = contents(tls.rootCertificate, 'sslrootcert');
  if (checked && tls.mode !== 'verify-full') options.checkServerIdentity = () => undefined;
  if (tls.serverName !== null) options.servername = tls.serverName;
  if (tls.certificate !== null) options.cert = contents(tls.certificate, 'sslcert');
  if (tls.key !== null) options.key = contents(tls.key, 'sslkey');
  if (tls.passphrase !== null) options.passphrase = tls.passphrase;
  return options;
}

function contents(file: string, parameter: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new ConnectionUrlError(`the file of ${parameter} cannot be read: ${file}`);
  }
}
