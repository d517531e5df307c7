import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { convergesAlways } from '../support/random/convergence.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
});
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
});

it('brings whatever was damaged back in one apply, and touches nothing else', { timeout: 3_600_000 }, async () => {
  await convergesAlways({ fleet, query: (sql) => database.query(sql) }, 12);
  expect(fleet.statements.length).toBeGreaterThan(0);
});
