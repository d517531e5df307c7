import { chmodSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resolveTarget, type TargetOptions } from '../../src/database/target.js';
import { TrueupError } from '../../src/trueup-error.js';
import { temporaryDirectory } from '../support/temporary.js';

const home = temporaryDirectory('target');
const target = (options: Partial<TargetOptions> & { environment?: Record<string, string> }) =>
  resolveTarget({ variables: [], ...options, environment: { HOME: home, ...options.environment } });
const server = (options: Parameters<typeof target>[0]) => {
  const found = target(options);
  if (found.kind !== 'server') throw new Error('not a server');
  return found;
};
const failure = (options: Parameters<typeof target>[0]): TrueupError => {
  try {
    target(options);
  } catch (error) {
    if (error instanceof TrueupError) return error;
    throw error;
  }
  throw new Error('nothing thrown');
};

describe('the target', () => {
  const everything = {
    TRUEUP_DATABASE_URL: 'postgresql://h2/d',
    APP_ADMIN_URL: 'postgresql://h3/d',
    APP_URL: 'postgresql://h4/d',
    PGHOST: 'h5',
    DATABASE_URL: 'postgresql://h6/d',
  };

  it('is the first that is given, and says which', () => {
    const environment: Record<string, string> = { ...everything };
    const variables = ['APP_ADMIN_URL', 'APP_URL'];
    const from = (databaseUrl?: string) => {
      const { host, source } = target({ environment, variables, databaseUrl }).description;
      return [host, source];
    };
    expect(from('postgresql://h1/d')).toEqual(['h1', '--database-url']);
    expect(from()).toEqual(['h2', 'TRUEUP_DATABASE_URL']);
    environment.TRUEUP_DATABASE_URL = '';
    expect(from()).toEqual(['h3', 'APP_ADMIN_URL']);
    delete environment.APP_ADMIN_URL;
    expect(from()).toEqual(['h4', 'APP_URL']);
    delete environment.APP_URL;
    expect(from()).toEqual(['h5', 'PG* variables']);
    delete environment.PGHOST;
    expect(from()).toEqual(['h6', 'DATABASE_URL']);
  });

  it('that nobody names is an error that lists the ways', () => {
    const error = failure({ variables: ['APP_URL'] });
    expect(error.code).toBe('NO_TARGET');
    for (const way of ['--database-url', '--embedded', 'TRUEUP_DATABASE_URL', 'APP_URL', 'PGHOST', 'DATABASE_URL']) {
      expect(error.options.remedy).toContain(way);
    }
  });

  it('is the embedded PostgreSQL by flag, variable or URL', () => {
    expect(target({ embedded: true })).toMatchObject({ kind: 'embedded', directory: null });
    expect(target({ embedded: 'data' })).toMatchObject({ directory: resolve('data') });
    expect(target({ environment: { TRUEUP_EMBEDDED: 'true' } })).toMatchObject({ directory: null });
    expect(target({ databaseUrl: 'pglite://data' })).toMatchObject({ directory: resolve('data') });
    expect(failure({ embedded: 'postgresql://u:secretpw@h/d' }).message).not.toContain('secretpw');
  });

  it('is not guessed when two are named at once', () => {
    expect(failure({ embedded: true, databaseUrl: 'postgresql://h/d' }).code).toBe('USAGE');
    const environment = { TRUEUP_DATABASE_URL: 'postgresql://h/d', TRUEUP_EMBEDDED: '1' };
    expect(failure({ environment }).code).toBe('USAGE');
  });

  it('takes from PG* variables what its URL leaves out', () => {
    const environment = { PGUSER: 'alice', PGPASSWORD: 'secretpw', PGPORT: '6000', PGAPPNAME: 'nightly' };
    const { connection } = server({ databaseUrl: 'postgresql://h', environment });
    expect(connection).toMatchObject({ user: 'alice', database: 'alice', password: 'secretpw', port: 6000 });
    expect(connection).toMatchObject({ applicationName: 'nightly', connectTimeout: 10_000 });
  });

  it('R13: never shows its password', () => {
    const found = server({ databaseUrl: 'postgresql://u:secretpw@h/d' });
    expect(JSON.stringify(found.description)).not.toContain('secretpw');
    expect(found.secrets).toContain('secretpw');
    for (const url of ['postgresql://u:secretpw@h:x/d', 'postgresql://u:secretpw@h/d?sslmod=require', 'u:secretpw@h']) {
      const error = failure({ environment: { APP_URL: url }, variables: ['APP_URL'] });
      expect(`${error.message} ${error.options.remedy} ${error.options.where}`).not.toContain('secretpw');
      expect(error.options.where).toBe('APP_URL');
    }
  });

  it('finds its password in a password file that only its owner can read', () => {
    const file = join(home, 'passwords');
    writeFileSync(file, '# comment\nother:*:*:*:wrong\nh:5432:d\\:b:u:se\\:cret\n*:*:*:*:last\n', { mode: 0o600 });
    const password = (databaseUrl: string) =>
      server({ databaseUrl, environment: { PGPASSFILE: file } }).connection.password;
    expect(password('postgresql://u@h/d%3Ab')).toBe('se:cret');
    expect(password('postgresql://u@h/else')).toBe('last');
    chmodSync(file, 0o644);
    expect(password('postgresql://u@h/else')).toBeNull();
  });

  it('may be a service', () => {
    const file = join(home, 'services');
    writeFileSync(file, '[one]\nhost=h1\n[two]\n# the second\nhost = h2\ndbname=d2\n');
    const environment = { PGSERVICEFILE: file, PGSERVICE: 'two' };
    expect(server({ environment }).connection).toMatchObject({ host: 'h2', database: 'd2' });
    expect(failure({ environment: { ...environment, PGSERVICE: 'three' } }).message).toContain('"three"');
  });

  it.each([
    ['?sslmod=require', /did you mean sslmode/],
    ['?sslmode=requird', /none of disable, allow/],
    ['?requirepeer=postgres', /not supported/],
    ['?sslmode=verify-full', /needs a root certificate/],
    ['?sslmode=verify-ca&sslrootcert=/nowhere/ca.crt', /cannot be read: \/nowhere/],
    ['?connect_timeout=soon', /number of seconds/],
  ])('does not pass over an option that it cannot honour: %s', (query, reason) => {
    expect(failure({ databaseUrl: `postgresql://h/d${query}` }).message).toMatch(reason);
  });

  it('passes over the options of drivers and pools', () => {
    const url = 'postgresql+asyncpg://h/d?prepared_statement_cache_size=0&command_timeout=5&ssl=require';
    expect(server({ databaseUrl: url }).connection.tls.mode).toBe('require');
    expect(failure({ databaseUrl: 'postgresql+asyncpg://h/d?sslmod=require' }).code).toBe('USAGE');
    expect(server({ databaseUrl: 'postgresql://h/d?pool_size=3&ssl=no-verify' }).connection.tls.verifyNothing).toBe(
      true,
    );
  });
});
