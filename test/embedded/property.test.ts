import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { convergesAlways } from '../support/random/convergence.js';

let fleet: FleetUnderTest;
beforeAll(async () => {
  fleet = await openFleet(null);
});
afterAll(() => fleet?.close());

it('brings whatever was damaged back in one apply on the embedded PostgreSQL 18', { timeout: 3_600_000 }, async () => {
  let path = '';
  const query = async (sql: string) => {
    // The one session there is: taken for each statement, so that the library finds it free.
    const session = await fleet.database.connect();
    try {
      if (sql.startsWith('SET search_path')) path = sql;
      if (path !== '') await session.query(path);
      return await session.query(sql);
    } finally {
      await session.close();
    }
  };
  await convergesAlways({ fleet, query }, 4);
  expect(fleet.statements.length).toBeGreaterThan(0);
});
