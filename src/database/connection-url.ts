/** What a connection string says, before defaults and variables are filled in. */
export type ConnectionUrl =
  | { readonly kind: 'embedded'; readonly directory: string | null }
  | {
      readonly kind: 'server';
      /** By libpq's names: host, port, dbname, user, password, sslmode … Values decoded. */
      readonly parameters: Readonly<Record<string, string>>;
      /** The driver of a SQLAlchemy form (`postgresql+asyncpg`), whose own options may stand in the query. */
      readonly driver: string | null;
    };

/** A connection string that cannot be read. Its message never repeats the string, which may hold a password. */
export class ConnectionUrlError extends Error {
  override readonly name = 'ConnectionUrlError';
}

const SCHEME = /^([a-z][a-z0-9.-]*)(?:\+([a-z0-9_]+))?:\/\/(.*)$/isu;
const LOCATION = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/su;

/**
 * Reads `postgresql://` and `postgres://` URLs, SQLAlchemy's `postgresql+driver://` among them, and `pglite://DIR`.
 * By libpq's rules and not WHATWG's, which refuse `postgresql://user@/db` and hosts that are socket directories.
 * @throws {ConnectionUrlError}
 */
export function parseConnectionUrl(url: string): ConnectionUrl {
  const match = SCHEME.exec(url.trim());
  const scheme = match?.[1]?.toLowerCase();
  const rest = match?.[3] ?? '';
  if (scheme === 'pglite') return { kind: 'embedded', directory: rest === '' ? null : decoded(rest, 'directory') };
  if (scheme === undefined || !['postgresql', 'postgres'].includes(scheme)) {
    throw new ConnectionUrlError(scheme === undefined ? 'it is not a URL' : `${scheme}:// is not a PostgreSQL URL`);
  }
  const { credentials, location } = splitCredentials(rest);
  const parts = LOCATION.exec(location);
  const [, authority = '', path = '', query = ''] = parts ?? [];
  const parameters: Record<string, string> = { ...hostOf(authority) };
  if (credentials !== null) {
    const colon = credentials.indexOf(':');
    const user = colon < 0 ? credentials : credentials.slice(0, colon);
    if (user !== '') parameters.user = decoded(user, 'user');
    if (colon >= 0) parameters.password = decoded(credentials.slice(colon + 1), 'password');
  }
  if (path !== '') parameters.dbname = decoded(path, 'database');
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    if (equals < 0) throw new ConnectionUrlError('an option after ? has no value: write ?name=value');
    const name = decoded(pair.slice(0, equals), 'option');
    const value = decoded(pair.slice(equals + 1), 'option');
    if (name === 'host' && parameters.host !== undefined) throw severalHosts();
    // SQLAlchemy writes ?host=name:port
    if (name === 'host') Object.assign(parameters, value.startsWith('/') ? { host: value } : hostOf(value));
    else parameters[name] = value;
  }
  return { kind: 'server', parameters, driver: match?.[2]?.toLowerCase() ?? null };
}

/** Two hosts would be two databases to a tool that changes them. */
export const severalHosts = (): ConnectionUrlError =>
  new ConnectionUrlError('it names several hosts: name the one to work on (the primary, to apply)');

/**
 * Up to the last `@` before the path. A password that holds an unencoded `/`, `?` or `#` is taken as SQLAlchemy does, up
 * to the `@` after it, unless a port stands where it would begin.
 */
function splitCredentials(rest: string): { readonly credentials: string | null; readonly location: string } {
  const slash = rest.search(/[/?]/u);
  const authorityEnd = slash < 0 ? rest.length : slash;
  let at = rest.lastIndexOf('@', authorityEnd - 1);
  if (at < 0 && /^[^:/?@]*:(?!\d*(?:[/?]|$))[^@]*@/u.test(rest)) at = rest.indexOf('@');
  if (at < 0 || authorityEnd === 0) return { credentials: null, location: rest };
  return { credentials: rest.slice(0, at), location: rest.slice(at + 1) };
}

function hostOf(authority: string): Record<string, string> {
  if (authority === '') return {};
  if (authority.includes(',')) throw severalHosts();
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::([^:]*))?$/su.exec(authority);
  if (match === null) throw new ConnectionUrlError('its host cannot be read; an IPv6 address stands in [brackets]');
  const host = decoded(match[1] ?? match[2] ?? '', 'host');
  if (host.includes(',')) throw severalHosts();
  return { ...(host === '' ? {} : { host }), ...(match[3] ? { port: match[3] } : {}) };
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConnectionUrlError(`its ${what} has a % that does not begin a percent-encoding (write % as %25)`);
  }
}
