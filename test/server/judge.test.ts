import { afterAll, beforeAll, expect, it } from 'vitest';
import { judgeAll } from '../../src/catalog/judge.js';
import type { Session } from '../../src/database/session.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let fleet: FleetUnderTest;
let session: Session;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  session = await fleet.database.connect();
});
afterAll(async () => {
  await session?.close();
  await fleet?.close();
  await test?.drop();
});

const names = { schemaOf: () => null, extensionOf: () => null };
const column = (name: string, type: string) => ({ name, type, collation: null });
const pair = (desired: string, actual: string) => ({ castTo: null, desired, actual });
const WORDS = {
  columns: [column('kind', 'text')],
  pairs: [pair(`kind IN ('a')`, `kind = 'a'`), pair('kind', 'lower(kind)')],
};
const NUMBERS = { columns: [column('n', 'integer')], pairs: [pair('n > 1', '(n > (1))')] };

it('C12: expressions over several tables’ columns are judged in one round trip', async () => {
  fleet.forget();
  const unplanned = { columns: [], pairs: [pair('elsewhere.f()', '1')] };
  expect(await judgeAll(session, [WORDS, unplanned, NUMBERS], names)).toEqual([[true, false], [false], [true]]);
  expect(fleet.statements.map((sql) => /^EXPLAIN/u.test(sql))).toEqual([true, true]);
});

it('one that the server refuses counts as different, and none of the others does', async () => {
  const refused = { columns: [column('n', 'integer')], pairs: [pair('n > 1', 'm > 1'), pair('n = 1', '1 = n')] };
  expect(await judgeAll(session, [WORDS, refused, NUMBERS], names)).toEqual([[true, false], [false, false], [true]]);
  expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});
