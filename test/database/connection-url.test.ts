import { describe, expect, it } from 'vitest';
import { ConnectionUrlError, parseConnectionUrl } from '../../src/database/connection-url.js';

const parameters = (url: string) => {
  const parsed = parseConnectionUrl(url);
  return parsed.kind === 'server' ? parsed.parameters : parsed;
};

describe('a connection string', () => {
  it.each([
    ['postgresql://', {}],
    ['postgres:///db', { dbname: 'db' }],
    ['postgresql://user@/db', { user: 'user', dbname: 'db' }],
    ['postgresql://u:p@h:6000/d', { user: 'u', password: 'p', host: 'h', port: '6000', dbname: 'd' }],
    [
      'postgresql+asyncpg://u:p%40ss%25@h/d?ssl=require',
      { user: 'u', password: 'p@ss%', host: 'h', dbname: 'd', ssl: 'require' },
    ],
    ['postgresql://u@[::1]:6000/d', { user: 'u', host: '::1', port: '6000', dbname: 'd' }],
    ['postgresql://u@%2Fvar%2Frun/d', { user: 'u', host: '/var/run', dbname: 'd' }],
    ['postgresql://u@/d?host=/tmp', { user: 'u', dbname: 'd', host: '/tmp' }],
    ['postgresql://u@/d?host=h:6000', { user: 'u', dbname: 'd', host: 'h', port: '6000' }],
    ['postgresql://h:5432/d?application_name=a@b', { host: 'h', port: '5432', dbname: 'd', application_name: 'a@b' }],
  ])('is read by libpq’s rules: %s', (url, expected) => {
    expect(parameters(url)).toEqual(expected);
  });

  it.each([
    ['postgresql://u:p@ss@h/d', 'p@ss'],
    ['postgresql://u:p/ss@h/d', 'p/ss'],
    ['postgresql://u:p#s?s@h/d', 'p#s?s'],
  ])('may hold a password that is not encoded: %s', (url, password) => {
    expect(parameters(url)).toMatchObject({ user: 'u', password, host: 'h', dbname: 'd' });
  });

  it('names the embedded PostgreSQL as pglite://', () => {
    expect(parseConnectionUrl('pglite://./data')).toEqual({ kind: 'embedded', directory: './data' });
    expect(parseConnectionUrl('pglite://')).toEqual({ kind: 'embedded', directory: null });
  });

  it.each([
    ['pg0', /not a URL/],
    ['mysql://u:secretpw@h/d', /mysql:\/\/ is not/],
    ['postgresql://u:secretpw@a,b/d', /several hosts/],
    ['postgresql://u:secretpw@h/d?host=b', /several hosts/],
    ['postgresql://u:secretpw@::1/d', /IPv6/],
    ['postgresql://u:secretpw%zz@h/d', /percent-encoding/],
    ['postgresql://u:secretpw@h/d?sslmode', /no value/],
  ])('R13: is refused without being repeated: %s', (url, reason) => {
    const read = () => parseConnectionUrl(url);
    expect(read).toThrow(ConnectionUrlError);
    expect(read).toThrow(reason);
    expect(read).not.toThrow(/secretpw/);
  });
});
