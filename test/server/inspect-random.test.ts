import { afterAll, beforeAll, it } from 'vitest';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { inspectsAnything } from '../support/random/inspection.js';
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

it('whatever a tenant is, the files that inspect writes are in sync with it', { timeout: 3_600_000 }, async () => {
  await inspectsAnything({ fleet, query: (sql) => database.query(sql) }, 6);
});
