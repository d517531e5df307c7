import { expect, it } from 'vitest';
import { convergesAlways } from '../support/random/convergence.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

it('brings whatever was damaged back in one apply, and touches nothing else', { timeout: 3_600_000 }, async () => {
  await convergesAlways({ fleet: on.fleet, query: (sql) => on.database.query(sql) }, 12);
  expect(on.fleet.statements.length).toBeGreaterThan(0);
});
