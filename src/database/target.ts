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
