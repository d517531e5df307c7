import { TrueupError } from '../trueup-error.js';
import { databaseError, isServerError, messageOf, systemCode } from './database-errors.js';
import { redact } from './redact.js';
import type { TargetDescription } from './session.js';
import { DatabaseError } from './session.js';

/** What to do, by SQLSTATE. */
const BY_STATE: Readonly<Record<string, string>> = {
  '28P01': 'check the password (in the URL, PGPASSWORD, or a password file that only its owner may read)',
  '28000': "check the user and the server's pg_hba.conf, which may ask for TLS (sslmode=require) or for another login",
  '3D000': 'check the database name, or create the database first',
  '42501': 'GRANT CONNECT ON DATABASE to this role, or use another',
  '22023': 'check --role: the role must exist',
  '53300':
    'lower --concurrency, end idle connections, or raise the limit: max_connections, or that of the role or database',
  '57P03': 'the server is starting up or shutting down: try again soon',
};

/** What to do, by the system's or node:tls's code. */
const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'start the server there, or check host and port',
  ENOENT: 'no server listens at that socket: start it, or give the host',
  EACCES: 'this user may not use that socket',
  ENOTFOUND: 'check the host name',
  EAI_AGAIN: 'the host name could not be looked up: check the network and the name',
  ETIMEDOUT: 'check host, port and firewalls, or raise connect_timeout',
  EHOSTUNREACH: 'check host, network and firewalls',
  ENETUNREACH: 'check host, network and firewalls',
  ECONNRESET: 'the server or something before it hung up: check its log, and whether it asks for TLS',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name: use that name as host, or sslmode=verify-ca',
};

/** A failure to open a session, as users see it: where, why, what to do. `cause` is a {@link DatabaseError}. */
export function connectionFailure(error: unknown, target: TargetDescription, secrets: readonly string[]): TrueupError {
  if (error instanceof TrueupError) return error;
  const server = error instanceof DatabaseError ? error : isServerError(error) ? databaseError(error, secrets) : null;
  const reason = server?.message ?? redact(explainedMessage(error), secrets);
  const cause = server ?? new DatabaseError(reason, '08001');
  const remedy = server === null ? systemRemedy(error) : serverRemedy(server);
  return new TrueupError('CONNECTION_FAILED', `cannot connect to ${describeTarget(target)}: ${reason}`, {
    where: target.source,
    remedy,
    cause,
  });
}

/** `database app on db.example:5432 as alice`; never a password. */
export function describeTarget(target: TargetDescription): string {
  if (target.kind === 'embedded') return `the embedded PostgreSQL (${target.host})`;
  return `database ${target.database} on ${target.host}${target.port === null ? '' : `:${target.port}`} as ${target.user}`;
}

/** To set a role is refused by the SQLSTATE by which CONNECT is. */
const serverRemedy = ({ code, message }: DatabaseError): string =>
  code === '42501' && /set role/u.test(message)
    ? 'GRANT that role to the one that connects, or name another with --role'
    : (BY_STATE[code] ?? 'see the log of the server');

function systemRemedy(error: unknown): string {
  const code = systemCode(error) ?? '';
  const message = messageOf(error);
  if (BY_CODE[code] !== undefined) return BY_CODE[code];
  if (isTimeout(message)) return BY_CODE.ETIMEDOUT ?? '';
  if (/does not support SSL/iu.test(message))
    return 'turn on ssl at the server, or give sslmode=disable where plain connections are safe';
  if (/cert|self.signed|issuer/iu.test(`${code} ${message}`)) {
    return 'give the certificate authority with sslrootcert=FILE, or sslrootcert=system with sslmode=verify-full';
  }
  if (/password must be a string|SASL/iu.test(message)) return BY_STATE['28P01'] ?? '';
  return 'check host, port, TLS settings and the log of the server';
}

function explainedMessage(error: unknown): string {
  const message = messageOf(error);
  if (isTimeout(message)) return 'no answer in time';
  return /client password must be a string/iu.test(message)
    ? 'the server asks for a password, and none is given'
    : message;
}

const isTimeout = (message: string): boolean => /timeout expired|timed out/iu.test(message);
