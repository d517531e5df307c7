import { resolve } from 'node:path';
import { TrueupError } from '../trueup-error.js';
import { completeConnection, type Environment, type ServerConnection } from './connection-parameters.js';
import { ConnectionUrlError, parseConnectionUrl } from './connection-url.js';
import type { TargetDescription } from './session.js';
import { tlsAttempts } from './tls.js';

/** Where to connect. `secrets` never leave it; `description` is what may be shown. */
export type Target = ServerTarget | EmbeddedTarget;

/** A PostgreSQL server. */
export interface ServerTarget {
  readonly kind: 'server';
  readonly description: TargetDescription;
  readonly connection: ServerConnection;
  /** For {@link redact}. */
  readonly secrets: readonly string[];
}

/** The PostgreSQL that comes with the package. */
export interface EmbeddedTarget {
  readonly kind: 'embedded';
  readonly description: TargetDescription;
  /** Absolute path of its data directory; null: in memory, gone with the process. */
  readonly directory: string | null;
}

/** What a run was given to find its database by. */
export interface TargetOptions {
  /** `--database-url`. */
  readonly databaseUrl?: string | undefined;
  /** `--embedded`: true, or a directory. */
  readonly embedded?: string | true | undefined;
  readonly environment: Environment;
  /** The variables that fleet.yaml names, in its order. */
  readonly variables: readonly string[];
}

/** A database of a fleet, by the name that reports call it. */
export interface NamedTarget {
  readonly id: string;
  readonly target: Target;
}

/** What a run was given to find its databases by. */
export interface TargetsOptions extends Omit<TargetOptions, 'databaseUrl'> {
  /** `--database-url`: one connection string, or several `ID=URL`. */
  readonly databaseUrls: readonly string[];
  /** The databases that fleet.yaml lists, each with the variables that may hold its connection string. */
  readonly listed: readonly { readonly id: string; readonly variables: readonly string[] }[];
}

/** What a database is called when it is the only one and nobody named it. */
export const ONLY = 'main';

/**
 * The databases of a run: those of `--database-url ID=URL`; else the one that {@link resolveTarget} finds by a flag or a
 * variable of trueup's own; else those that fleet.yaml lists; else whatever {@link resolveTarget} finds.
 * @throws {TrueupError} NO_TARGET for a listed database whose variables are not set, USAGE for an id that comes twice
 */
export function resolveTargets(options: TargetsOptions): readonly NamedTarget[] {
  const { databaseUrls, embedded, environment, listed } = options;
  const named = databaseUrls.map((text) => ({ ...withId(text), text }));
  if (named.length > 1 || named[0]?.id != null) {
    const ids = named.map(({ id }) => id);
    if (embedded !== undefined) throw contradiction('--database-url', '--embedded');
    if (ids.some((id) => id === null) || new Set(ids).size < ids.length) {
      throw new TrueupError('USAGE', 'several databases need a name each', {
        where: '--database-url',
        remedy:
          'write --database-url eu=postgresql://… --database-url us=postgresql://…, each name once, of letters without accents, digits, "_", "." and "-"',
      });
    }
    return named.map(({ id, url }) => ({ id: id ?? ONLY, target: fromUrl(url, `--database-url ${id}`, environment) }));
  }
  const [databaseUrl] = databaseUrls;
  const given =
    databaseUrl ?? embedded ?? (environment.TRUEUP_DATABASE_URL || environment.TRUEUP_EMBEDDED || undefined);
  if (given !== undefined || listed.length === 0)
    return [{ id: ONLY, target: resolveTarget({ ...options, databaseUrl }) }];
  const missing = listed.filter(({ variables }) => !variables.some((variable) => environment[variable]));
  if (missing.length > 0) {
    const names = missing.map(({ id, variables }) => `${id} (${variables.join(' or ')})`).join(', ');
    throw new TrueupError('NO_TARGET', `no variable names the connection of ${names}`, {
      where: 'targets in fleet.yaml',
      remedy: 'set these variables, or name the databases of this run by --database-url ID=URL',
    });
  }
  return listed.map(({ id, variables }) => {
    const variable = variables.find((name) => environment[name]) ?? '';
    return { id, target: fromUrl(environment[variable] ?? '', variable, environment) };
  });
}

/** Of `ID=URL`; a connection string itself has a scheme before its first `=`. */
function withId(text: string): { readonly id: string | null; readonly url: string } {
  const found = /^([A-Za-z0-9][\w.-]{0,62})=(?=[a-z][a-z+0-9]*:\/\/)/u.exec(text);
  return found === null ? { id: null, url: text } : { id: found[1] ?? '', url: text.slice(found[0].length) };
}

const PG_VARIABLES = ['PGHOST', 'PGHOSTADDR', 'PGDATABASE', 'PGUSER', 'PGSERVICE'];

/**
 * The first that is given of: `--database-url` or `--embedded`; `TRUEUP_DATABASE_URL` or `TRUEUP_EMBEDDED`; the
 * variables that fleet.yaml names; libpq's `PG*`; `DATABASE_URL`.
 * @throws {TrueupError} NO_TARGET when none is, USAGE when one cannot be understood or two contradict
 */
export function resolveTarget(options: TargetOptions): Target {
  const { databaseUrl, embedded, environment, variables } = options;
  if (databaseUrl !== undefined && embedded !== undefined) throw contradiction('--database-url', '--embedded');
  if (databaseUrl !== undefined) return fromUrl(databaseUrl, '--database-url', environment);
  if (embedded !== undefined) return embeddedTarget(embedded === true ? null : embedded, '--embedded');

  const url = environment.TRUEUP_DATABASE_URL;
  const directory = environment.TRUEUP_EMBEDDED;
  if (url && directory) throw contradiction('TRUEUP_DATABASE_URL', 'TRUEUP_EMBEDDED');
  if (url) return fromUrl(url, 'TRUEUP_DATABASE_URL', environment);
  if (directory) return embeddedTarget(isYes(directory) ? null : directory, 'TRUEUP_EMBEDDED');

  for (const variable of variables) {
    const value = environment[variable];
    if (value) return fromUrl(value, variable, environment);
  }
  if (PG_VARIABLES.some((variable) => environment[variable])) {
    return explained('PG* variables', () => serverTarget(completeConnection({}, environment), 'PG* variables', []));
  }
  const last = environment.DATABASE_URL;
  if (last) return fromUrl(last, 'DATABASE_URL', environment);

  const named = variables.length === 0 ? '' : `${variables.join(', ')}, `;
  throw new TrueupError('NO_TARGET', 'no database is named', {
    remedy:
      'give --database-url postgresql://USER@HOST/DATABASE, or --embedded [DIR] for the built-in PostgreSQL, or set ' +
      `TRUEUP_DATABASE_URL, ${named}libpq's PGHOST, PGDATABASE and so on, or DATABASE_URL`,
  });
}

function fromUrl(url: string, source: string, environment: Environment): Target {
  return explained(source, () => {
    const parsed = parseConnectionUrl(url);
    if (parsed.kind === 'embedded') return embeddedTarget(parsed.directory, source);
    const connection = completeConnection(parsed.parameters, environment, parsed.driver);
    const ownPassword = parsed.parameters.password;
    return serverTarget(connection, source, ownPassword === undefined ? [] : [url, url.trim(), ownPassword]);
  });
}

function serverTarget(connection: ServerConnection, source: string, secrets: readonly string[]): ServerTarget {
  // A certificate that is not there is better said now than by a failed connection.
  tlsAttempts(connection.tls);
  const { host, port, database, user, password, tls } = connection;
  const known = [...secrets, password ?? '', tls.passphrase ?? ''];
  // A password that is also a name would blot out that name wherever it is shown, and so say what it is.
  const shown = new Set([host, database, user]);
  return {
    kind: 'server',
    description: { kind: 'server', host, port, database, user, source },
    connection,
    secrets: known.filter((secret) => secret !== '' && !shown.has(secret)),
  };
}

function embeddedTarget(directory: string | null, source: string): EmbeddedTarget {
  if (directory?.includes('://')) {
    throw new TrueupError('USAGE', `${source} takes a directory, not a URL`, {
      remedy: 'give a URL as --database-url',
    });
  }
  const path = directory === null || directory === '' ? null : resolve(directory);
  return {
    kind: 'embedded',
    description: {
      kind: 'embedded',
      host: path ?? 'memory',
      port: null,
      database: 'postgres',
      user: 'postgres',
      source,
    },
    directory: path,
  };
}

function explained(source: string, make: () => Target): Target {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ConnectionUrlError)) throw error;
    throw new TrueupError('USAGE', `the database connection cannot be understood: ${error.message}`, {
      where: source,
      remedy: 'write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require, special characters as %XX',
    });
  }
}

const contradiction = (one: string, other: string): TrueupError =>
  new TrueupError('USAGE', `${one} and ${other} name two databases`, { remedy: 'give only one of them' });

const isYes = (word: string): boolean => ['1', 'true', 'yes', 'on'].includes(word.toLowerCase());
