import { afterAll, beforeAll } from 'vitest';
import { type FleetUnderTest, openFleet } from './fleet.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

/** A database of its own for the tests of a file, and the library open on it. There from the first test on, gone after the last. */
export interface ServerFleet {
  readonly database: TestDatabase;
  readonly fleet: FleetUnderTest;
}

/** Makes it before the tests of the file that calls this. */
export function fleetOnServer(): ServerFleet {
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
  return {
    get database() {
      return database;
    },
    get fleet() {
      return fleet;
    },
  };
}
