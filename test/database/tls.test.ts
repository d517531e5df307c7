import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type SslMode, type TlsSettings, tlsAttempts } from '../../src/database/tls.js';
import { temporaryDirectory } from '../support/temporary.js';

const ca = join(temporaryDirectory('tls'), 'ca.crt');
writeFileSync(ca, 'certificate');

const attempts = (mode: SslMode, more: Partial<TlsSettings> = {}) =>
  tlsAttempts({
    mode,
    verifyNothing: false,
    serverName: null,
    rootCertificate: null,
    certificate: null,
    key: null,
    passphrase: null,
    ...more,
  }).map((attempt) => {
    if (attempt === false) return 'plain';
    if (!attempt.rejectUnauthorized) return 'encrypted';
    return attempt.checkServerIdentity === undefined ? 'chain and name' : 'chain';
  });

it.each([
  ['disable', ['plain']],
  ['allow', ['plain', 'encrypted']],
  ['prefer', ['encrypted', 'plain']],
  ['require', ['encrypted']],
] as const)('sslmode=%s verifies nothing without a root certificate, as in libpq', (mode, expected) => {
  expect(attempts(mode)).toEqual(expected);
});

it('a root certificate makes require as strict as verify-ca', () => {
  expect(attempts('require', { rootCertificate: ca })).toEqual(['chain']);
  expect(attempts('require', { rootCertificate: ca, verifyNothing: true })).toEqual(['encrypted']);
  expect(attempts('verify-ca', { rootCertificate: ca })).toEqual(['chain']);
  expect(attempts('verify-full', { rootCertificate: ca })).toEqual(['chain and name']);
});

it('a mode that verifies never falls back to one that does not', () => {
  expect(() => attempts('verify-full')).toThrow(/needs a root certificate/);
  expect(attempts('verify-full', { rootCertificate: 'system' })).toEqual(['chain and name']);
  expect(() => attempts('require', { rootCertificate: 'system' })).toThrow(/only with sslmode=verify-full/);
});
