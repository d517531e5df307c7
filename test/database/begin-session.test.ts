import { expect, it } from 'vitest';
import { beginSession } from '../../src/database/begin-session.js';
import { DatabaseError, type TargetDescription } from '../../src/database/session.js';

const target: TargetDescription = { kind: 'server', host: 'h', port: 5432, database: 'd', user: 'u', source: 'test' };
const options = { role: null, clientCheck: true };

it('refuses a server older than 14', async () => {
  const begun = beginSession(async () => [{ version: '130014', shown: '13.14' }], options, target);
  await expect(begun).rejects.toMatchObject({ code: 'SERVER_TOO_OLD', message: 'PostgreSQL 13.14 is older than 14' });
});

it('does without the check for lost clients where the server’s platform has none', async () => {
  const sent: unknown[] = [];
  const send = async (_: string, parameters: readonly unknown[]) => {
    sent.push(parameters[0]);
    if (sent.length > 1) return [{ version: '150004', pid: 42 }];
    throw new DatabaseError('invalid value for parameter "client_connection_check_interval": "1s"', '22023');
  };
  expect(await beginSession(send, options, target)).toEqual({ serverVersion: 150_004, pid: 42, clientCheck: false });
  expect(sent[0]).toContain('client_connection_check_interval');
  expect(sent[1]).not.toContain('client_connection_check_interval');
});
