import { expect, it } from 'vitest';
import { withSharedSnapshot } from '../../src/catalog/shared-snapshot.js';
import type { Session } from '../../src/database/session.js';

it('gives the second session back where the first one fails before the two share anything', async () => {
  const first = { query: () => Promise.reject(new Error('canceled')) } as unknown as Session;
  let released = 0;
  const second = { release: async () => released++ } as unknown as Session;
  const read = withSharedSnapshot(
    first,
    async () => second,
    async () => 1,
    async () => 2,
  );
  await expect(read).rejects.toThrow('canceled');
  expect(released).toBe(1);
});
