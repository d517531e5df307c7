import { expect, it } from 'vitest';
import { DatabaseError, type Session } from '../../src/database/session.js';
import { findStamp } from '../../src/inspect/stamp.js';
import { column, table } from '../support/diff-fixture.js';

const tables = [table({ name: 'schema_migrations', columns: [column('version')] })];
const sought = (query: () => Promise<readonly { readonly v: readonly string[] }[]>) =>
  findStamp({ query } as unknown as Session, 'a', tables);

it('the release is the one value of a migration tool’s table', async () => {
  expect(await sought(async () => [{ v: ['17'] }])).toEqual({
    stamp: { table: 'schema_migrations', column: 'version', value: '17' },
    notes: [],
  });
});

it('a table that the role may not read is not said to hold none', async () => {
  const { stamp, notes } = await sought(() => Promise.reject(new DatabaseError('permission denied', '42501')));
  expect(stamp).toBeNull();
  expect(notes).toMatchObject([{ why: expect.stringContaining('or this role may not read it') }]);
});
