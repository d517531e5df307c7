import { expect, it } from 'vitest';
import { anyFailure, failureOf, isCancelled, isOvertaken, isPassing } from '../../src/apply/failure.js';
import { DatabaseError } from '../../src/database/session.js';
import { TrueupError } from '../../src/trueup-error.js';

it.each([
  ['42P07', 'relation "idx_items_shop" already exists'],
  ['42710', 'type "items" already exists'],
])('%s, a name that was taken since the plan, says that another plan shows by what', (code, message) => {
  expect(failureOf(new DatabaseError(message, code))).toEqual({
    code: 'TENANT_FAILED',
    message,
    sqlstate: code,
    remedy: 'something has taken the name since the plan was made: plan again, which says what, then make it free',
  });
});

it.each([
  ['42501', 'must be owner of table units', /owns the tenant’s tables/u],
  ['42501', 'permission denied for table units', /owns the tenant’s tables/u],
  ['42501', 'keine Berechtigung für Schema extensions', /owns the tenant’s tables/u],
  ['42501', 'permission denied for schema extensions', /USAGE on that schema/u],
  ['42501', 'permission denied for database app', /GRANT CREATE ON DATABASE/u],
  ['42501', 'permission denied for view pg_locks', /grant the role what it lacks/u],
  ['42501', 'query would be affected by row-level security policy for table "units"', /BYPASSRLS/u],
  ['42P16', 'cannot alter inherited column "body"', /inherits it from another/u],
  ['22023', 'RESTART value (-3) cannot be less than MINVALUE (1)', /ALTER SEQUENCE … RESTART WITH a free one/u],
  ['22003', 'setval: value 9 is out of bounds for sequence "units_id_seq" (1..5)', /declare another maximum/u],
  ['42809', 'cannot add column to a partition', /partition of another/u],
  ['42704', 'type "txet" does not exist', /correct the name in the files.*declare the extension/u],
  ['42883', 'function nanoid() does not exist', /correct the name in the files.*\$\{schema\}/u],
  ['42704', 'type "acme.state" does not exist', /make what it names first: trueup makes no types/u],
  ['42P01', 'relation "acme.numbers" does not exist', /make what it names first: .*sequences/u],
  ['22P02', 'invalid input value for enum acme.state: "paid"', /add it in the application’s own migration/u],
  ['25006', 'cannot execute CREATE INDEX in a read-only transaction', /default_transaction_read_only/u],
])('%s, %s: says what mends that', (code, message, remedy) => {
  expect(failureOf(new DatabaseError(message, code)).remedy).toMatch(remedy);
});

it.each([
  ['23502', 'Failing row contains (1, Anna (Bonn), null).', 'Failing row contains (…).'],
  ['23514', 'Fehlgeschlagene Zeile enthält (1, Anna, 0).', 'Fehlgeschlagene Zeile enthält (…).'],
  ['23505', 'Schlüssel »(name)=(Anna)« existiert bereits.', 'Schlüssel »(name)=(…)« existiert bereits.'],
  ['23505', 'Key (lower(name))=(anna (bonn)) already exists.', 'Key (lower(name))=(…) already exists.'],
  ['23503', 'Key (shop)=(Anna) is not present in table "shops".', 'Key (shop)=(…) is not present in table "shops".'],
])('%s, %s: says nothing of what the row holds, in whatever language', (code, detail, said) => {
  expect(failureOf(new DatabaseError('no', code, { detail })).message).toBe(`no (${said})`);
});

it('what others depend on is not to be dropped with them, as the server’s hint has it', () => {
  const error = new DatabaseError('cannot drop index code because other objects depend on it', '2BP01', {
    detail: 'constraint orders_code_fkey on table orders depends on index code',
    hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
  });
  const { message, remedy } = failureOf(error);
  expect(message).toMatch(/orders_code_fkey/u);
  expect(remedy).toMatch(/drop that in the application’s own migration/u);
});

it('R6: what may go well a little later is told from what others have made meanwhile, from a cancellation, and from the rest', () => {
  const kindsOf = (error: unknown) =>
    Object.entries({ passing: isPassing, overtaken: isOvertaken, cancelled: isCancelled }).flatMap(([kind, is]) =>
      is(error) ? [kind] : [],
    );
  const of = (code: string) => kindsOf(new DatabaseError('no', code));
  // A lock not had, a deadlock, a serialisation failure, no connection left.
  for (const code of ['55P03', '40P01', '40001', '53300']) expect(of(code), code).toEqual(['passing']);
  for (const code of ['42P07', '42703', '42P01', '3F000']) expect(of(code), code).toEqual(['overtaken']);
  expect(kindsOf(new TrueupError('STALE_EVIDENCE', 'rows have come'))).toEqual(['overtaken']);
  // Canceled by somebody, or out of time: a build that takes too long takes as long the next time.
  expect(of('57014')).toEqual(['cancelled']);
  for (const other of [new TrueupError('TENANT_FAILED', 'no'), new Error('55P03')]) expect(kindsOf(other)).toEqual([]);
  for (const code of ['23505', '42501', '53200']) expect(of(code), code).toEqual([]);
});

it('an error that is a bug of ours ends its tenant alone, and says that it is one', () => {
  expect(anyFailure(new Error('internal: no shape'))).toMatchObject({
    code: 'INTERNAL',
    message: 'internal: no shape',
  });
  expect(anyFailure('thrown')).toMatchObject({ code: 'INTERNAL', message: 'thrown' });
  expect(() => failureOf(new Error('internal: no shape'))).toThrow('no shape');
  expect(anyFailure(new TrueupError('STALE_EVIDENCE', 'rows have come', { remedy: 'run again' }))).toEqual({
    code: 'STALE_EVIDENCE',
    message: 'rows have come',
    sqlstate: null,
    remedy: 'run again',
  });
  expect(anyFailure(new DatabaseError('no', '23505'))).toMatchObject({ code: 'TENANT_FAILED', sqlstate: '23505' });
});
