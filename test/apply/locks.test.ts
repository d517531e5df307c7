import { expect, it } from 'vitest';
import { tryLocks } from '../../src/apply/locks.js';
import { DatabaseError, type Session } from '../../src/database/session.js';
import type { DesiredState } from '../../src/desired-state/model.js';

it('keeps no tenant’s lock where the key of the application’s own cannot be computed', async () => {
  const sent: string[] = [];
  const session = {
    query: async (sql: string) => {
      sent.push(/pg_(?:try_)?advisory_\w+|::int8::text/u.exec(sql)?.[0] ?? sql);
      if (sql.includes('pg_try_advisory_lock')) return [{ schema: 'a', had: true }];
      if (sql.includes('::int8::text')) throw new DatabaseError('division by zero', '22012');
      return [];
    },
  } as unknown as Session;
  const migrationLock = { key: '1 / 0', baseSchemaKey: null, source: { file: 'fleet.yaml', line: 1, column: 1 } };
  const desired = { migrationLock, tenants: { baseSchema: 'public' } } as unknown as DesiredState;
  const trying = tryLocks(session, 'shop', desired, ['a'], new WeakSet([migrationLock]));
  await expect(trying).rejects.toThrow('division by zero');
  expect(sent).toEqual(['pg_try_advisory_lock', '::int8::text', 'pg_advisory_unlock']);
});
