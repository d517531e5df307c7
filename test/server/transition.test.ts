import { expect, it } from 'vitest';
import { convergesFromAny } from '../support/random/transition.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

it('brings a tenant from any desired state to any other in one apply', { timeout: 3_600_000 }, async () => {
  await convergesFromAny({ fleet: on.fleet, query: (sql) => on.database.query(sql) }, 10);
  expect(on.fleet.statements.length).toBeGreaterThan(0);
});
