import { it } from 'vitest';
import { inspectsAnything } from '../support/random/inspection.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

it('whatever a tenant is, the files that inspect writes are in sync with it', { timeout: 3_600_000 }, async () => {
  await inspectsAnything({ fleet: on.fleet, query: (sql) => on.database.query(sql) }, 6);
});
