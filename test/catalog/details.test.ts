import { expect, it } from 'vitest';
import { readDetails } from '../../src/catalog/details.js';
import type { OwnershipFilter } from '../../src/catalog/ownership-filter.js';
import type { Session } from '../../src/database/session.js';

it('reads more rows in one statement than a call takes arguments', async () => {
  const rows = Array.from({ length: 300_000 }, () => ({ type: 'text' }));
  const session = { serverVersion: 180_000, query: async () => rows } as unknown as Session;
  const { columns, indexes } = await readDetails(session, ['1'], [], { families: [] } as unknown as OwnershipFilter);
  expect([columns.length, indexes.length]).toEqual([300_000, 300_000]);
});
