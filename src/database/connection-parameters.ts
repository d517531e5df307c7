import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { ConnectionUrlError, severalHosts } from './connection-url.js';
import { passwordFrom } from './password-file.js';
import { serviceParameters } from './service-file.js';
import { isSslMode, SSL_MODES, type TlsSettings } from './tls.js';

/** Variables of the process, as `process.env`. An empty one counts as not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that a connection to a server needs, nothing left to the driver's own reading of the environment. */
export interface ServerConnection {
  /** A name, an address, or a directory of Unix-domain sockets. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | null;
  readonly tls: TlsSettings;
  readonly applicationName: string;
  /** Milliseconds; 0 waits without end. */
  readonly connectTimeout: number;
  /** Settings on libpq's `options` line (`-c name=value`). */
  readonly options: string | null;
  readonly channelBinding: boolean;
}

/** libpq's variables, by parameter. */
const VARIABLES: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  service: 'PGSERVICE',
  options: 'PGOPTIONS',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  channel_binding: 'PGCHANNELBINDING',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
};

/** Parameters that ask for a protection that the driver does not give: dropping one would weaken the connection. */
const REFUSED = ['requirepeer', 'require_auth', 'sslcrl', 'sslcrldir', 'ssl_min_protocol_version', 'gssencmode'];

/** Options of pools and drivers that say nothing about the server, in the URLs that applications share. */
const IGNORED = new Set(
  (
    'client_encoding fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count ' +
    'tcp_user_timeout krbsrvname gsslib load_balance_hosts sslcompression sslsni sslnegotiation uselibpqcompat ' +
    'pool pool_size pool_timeout pool_recycle pool_pre_ping max_overflow schema connection_limit pgbouncer ' +
    'socket_timeout prepared_statement_cache_size statement_cache_size prepare_threshold target_session_attrs'
  ).split(' '),
);

/**
 * Fills in what a connection string leaves out, in libpq's order: the string, the service, `PG*` variables, defaults.
 * @param driver whether the string names a driver, whose own options are then dropped
 * @throws {ConnectionUrlError} naming what cannot be understood, never a value that may be secret
 */
export function completeConnection(
  given: Readonly<Record<string, string>>,
  environment: Environment,
  driver: string | null = null,
): ServerConnection {
  checkNames(given, driver);
  const fromService = serviceOf(given, environment);
  const value = (name: string): string | null => {
    const variable = VARIABLES[name];
    return given[name] || fromService[name] || (variable && environment[variable]) || null;
  };
  const port = portOf(value('port'));
  const address = value('hostaddr');
  const name = value('host');
  const host = address ?? name ?? defaultHost(port);
  if (host.includes(',')) throw severalHosts();
  const user = value('user') ?? userInfo().username;
  const database = value('dbname') ?? user;
  const home = environment.HOME || homedir();
  const passwordFile = value('passfile') ?? join(home, '.pgpass');
  const login = { host: name ?? host, port, database, user };
  const mode = sslModeOf(given.ssl ?? null, value('sslmode'));
  return {
    host,
    port,
    database,
    user,
    password: value('password') ?? passwordFrom(passwordFile, login),
    tls: {
      mode: host.startsWith('/') ? 'disable' : mode.mode,
      verifyNothing: mode.verifyNothing,
      serverName: address !== null && name !== null ? name : null,
      rootCertificate: value('sslrootcert') ?? existing(join(home, '.postgresql', 'root.crt')),
      certificate: value('sslcert') ?? existing(join(home, '.postgresql', 'postgresql.crt')),
      key: value('sslkey') ?? existing(join(home, '.postgresql', 'postgresql.key')),
      passphrase: value('sslpassword'),
    },
    applicationName: value('application_name') ?? 'trueup',
    connectTimeout: timeoutOf(value('connect_timeout')),
    options: value('options'),
    channelBinding: value('channel_binding') === 'require',
  };
}

/** A misspelt `sslmode` that is dropped in silence is a connection without TLS. */
function checkNames(given: Readonly<Record<string, string>>, driver: string | null): void {
  const known = [...Object.keys(VARIABLES), 'ssl', 'sslpassword'];
  for (const name of Object.keys(given)) {
    if (known.includes(name) || IGNORED.has(name)) continue;
    if (REFUSED.includes(name)) {
      if (name === 'gssencmode' && given[name] !== 'require') continue;
      throw new ConnectionUrlError(`its option ${name} is not supported`);
    }
    if (driver !== null && !/ssl|tls|host|pass/iu.test(name)) continue;
    throw new ConnectionUrlError(
      `its option ${JSON.stringify(name)} is not known; did you mean ${closest(name, known)}?`,
    );
  }
}

function serviceOf(
  given: Readonly<Record<string, string>>,
  environment: Environment,
): Readonly<Record<string, string>> {
  const service = given.service || environment.PGSERVICE;
  if (!service) return {};
  const own = environment.PGSERVICEFILE || join(environment.HOME || homedir(), '.pg_service.conf');
  const system = environment.PGSYSCONFDIR;
  return serviceParameters(service, system ? [own, join(system, 'pg_service.conf')] : [own]);
}

function portOf(text: string | null): number {
  if (text === null) return 5432;
  const port = Number(text);
  if (/^\d+$/u.test(text) && port >= 1 && port <= 65535) return port;
  throw new ConnectionUrlError('its port is not a number from 1 to 65535');
}

/** libpq's default is a Unix-domain socket where there is one. */
function defaultHost(port: number): string {
  const directories = ['/var/run/postgresql', '/tmp'];
  return directories.find((directory) => existsSync(join(directory, `.s.PGSQL.${port}`))) ?? 'localhost';
}

/** libpq's unit is seconds; 10 where nothing is said, so that a host that drops packets does not hold a run for minutes. */
function timeoutOf(text: string | null): number {
  if (text === null) return 10_000;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, Math.round(seconds * 1000));
  throw new ConnectionUrlError('its connect_timeout is not a number of seconds');
}

/** `ssl` is what asyncpg and others call it, with libpq's words or yes and no. */
function sslModeOf(ssl: string | null, sslmode: string | null): Pick<TlsSettings, 'mode' | 'verifyNothing'> {
  const word = (ssl ?? sslmode ?? 'prefer').toLowerCase();
  if (['true', '1', 'on', 'yes'].includes(word)) return { mode: 'require', verifyNothing: false };
  if (['false', '0', 'off', 'no'].includes(word)) return { mode: 'disable', verifyNothing: false };
  if (word === 'no-verify') return { mode: 'require', verifyNothing: true };
  if (isSslMode(word)) return { mode: word, verifyNothing: false };
  throw new ConnectionUrlError(`its ${ssl === null ? 'sslmode' : 'ssl'} is none of ${SSL_MODES.join(', ')}`);
}

const existing = (file: string): string | null => (existsSync(file) ? file : null);
