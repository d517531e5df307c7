import { afterAll, beforeAll, expect, it } from 'vitest';
import { isInShard } from '../../src/catalog/shard.js';
import { planFleet } from '../../src/plan/plan-fleet.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { loadShipped } from '../support/fleet.js';
import { fleetOnServer } from '../support/server-fleet.js';
import { smallFleet } from '../support/small-fleet.js';

const SCHEMAS = Array.from({ length: 12 }, (_, at) => `t${at}`);

const on = fleetOnServer();
const files = smallFleet();
beforeAll(async () => {
  await on.database.exec(SCHEMAS.map((schema) => files.tenant(schema, 1)).join('\n'));
});
afterAll(() => files.remove());

async function plan(shard: { index: number; count: number }, schemas: readonly string[] = []) {
  const desired = await loadShipped({ directory: files.directory });
  const selection = { schemas, exclude: [], allowEmpty: false, allowAbsent: false, shard };
  return planFleet(on.fleet.database, { desired, selection, allow: new Set(), progress: NO_PROGRESS });
}

const named = async (count: number, schemas?: readonly string[]) => {
  const plans = [];
  for (let index = 0; index < count; index += 1) plans.push(await plan({ index, count }, schemas));
  return plans.map((one) => one.databases.flatMap((database) => database.tenants.map(({ schema }) => schema)));
};

it('splits the fleet into parts without a gap or an overlap, the same every time', async () => {
  const parts = await named(3);
  expect(parts.flat().sort()).toEqual([...SCHEMAS].sort());
  const expected = (index: number) =>
    SCHEMAS.filter((schema) => isInShard({ index, count: 3 }, on.database.name, schema));
  expect(parts.map((part) => [...part].sort())).toEqual([0, 1, 2].map((index) => expected(index).sort()));
  expect(await named(3)).toEqual(parts);
});

it('splits named schemas too, each into the part that it has in the whole fleet', async () => {
  const [whole, some] = [await named(3), await named(3, ['t1', 't5', 't7'])];
  expect(some.flat().sort()).toEqual(['t1', 't5', 't7']);
  for (const [at, part] of some.entries()) expect(whole[at]).toEqual(expect.arrayContaining(part));
});

it('is no error when it is empty; a fleet without a tenant is', async () => {
  const empty = await named(3, ['t1']);
  expect(empty.filter((part) => part.length === 0)).toHaveLength(2);
  const one = await plan({ index: 999_999, count: 1_000_000 });
  expect(one.summary.tenants).toBe(0);
  const selection = { schemas: [], exclude: ['t%'], allowEmpty: false, allowAbsent: false };
  const desired = await loadShipped({ directory: files.directory });
  const shard = { index: 0, count: 2 };
  await expect(
    planFleet(on.fleet.database, {
      desired,
      selection: { ...selection, shard },
      allow: new Set(),
      progress: NO_PROGRESS,
    }),
  ).rejects.toMatchObject({ code: 'NO_TENANT' });
});

it('goes by the server’s name of the database, whatever a client calls it', async () => {
  const [mine] = (await plan({ index: 0, count: 3 })).databases;
  expect(mine).toMatchObject({ name: on.database.name, shard: { index: 0, count: 3 } });
});
