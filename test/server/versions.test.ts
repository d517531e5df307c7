import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quoteIdentifier } from '../../src/sql/quote.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { startServer, type TestServer } from '../support/postgres/server.js';
import { OTHER_VERSIONS, otherPostgres } from '../support/postgres/versions.js';

// pgvector is in none of these servers: the base and text-search phases hold every other kind of object.
const load = { phases: ['base', 'text-search'] };

describe.each(Object.keys(OTHER_VERSIONS))('on PostgreSQL %s', (major) => {
  let server: TestServer;
  let fleet: FleetUnderTest;
  let client: pg.Client;

  beforeAll(async () => {
    server = await startServer({ bin: otherPostgres(major) });
    client = new pg.Client({ connectionString: server.url('postgres') });
    await client.connect();
    fleet = await openFleet(server.url('postgres'));
    await fleet.provision(['good', 'Twin-2', 'damaged'], { load });
  }, 240_000);

  afterAll(async () => {
    await fleet?.close();
    await client?.end();
    await server?.remove();
  });

  it('N1: what it provisions is in sync, as one shape', async () => {
    const plan = await fleet.plan({ load });
    expect(plan.databases[0]?.serverVersion.startsWith(major)).toBe(true);
    expect(plan.summary).toMatchObject({ tenants: 3, inSync: 3, shapes: 1 });
  });

  const damages: readonly [string, string, string][] = [
    ['a column', 'ALTER TABLE banks DROP COLUMN mission', 'add-column banks.mission pending'],
    ['a default', 'ALTER TABLE banks ALTER COLUMN config DROP DEFAULT', 'alter-column banks.config pending'],
    ['NOT NULL', 'ALTER TABLE banks ALTER COLUMN config DROP NOT NULL', 'alter-column banks.config pending'],
    [
      'an identity',
      'ALTER TABLE observation_history ALTER COLUMN id DROP IDENTITY',
      'alter-column observation_history.id pending',
    ],
    ['an index', 'DROP INDEX idx_banks_config', 'create-index banks.idx_banks_config pending'],
    [
      'a check',
      'ALTER TABLE memory_links DROP CONSTRAINT memory_links_weight_check',
      'add-constraint memory_links.memory_links_weight_check pending',
    ],
    [
      'a foreign key',
      'ALTER TABLE webhooks DROP CONSTRAINT fk_webhooks_bank_id',
      'add-constraint webhooks.fk_webhooks_bank_id pending',
    ],
    [
      'a unique key',
      'ALTER TABLE banks DROP CONSTRAINT banks_internal_id_unique',
      'add-constraint banks.banks_internal_id_unique pending',
    ],
    ['a table', 'DROP TABLE file_storage', 'create-table file_storage.file_storage pending'],
    [
      'the materialized view',
      'DROP MATERIALIZED VIEW memory_units_bm25',
      'create-materialized-view memory_units_bm25.memory_units_bm25 pending',
    ],
    [
      'a generated column',
      'ALTER TABLE mental_models DROP COLUMN search_vector',
      'add-column mental_models.search_vector pending',
    ],
  ];

  it('C9: sees all that is missing from one tenant, and puts it back', async () => {
    await client.query(`SET search_path = ${quoteIdentifier('damaged')}`);
    for (const [, damage] of damages) await client.query(damage);
    const plan = await fleet.plan({ load });
    expect(plan.summary).toMatchObject({ inSync: 2, drifted: 1, blocked: 0 });
    expect(changesOf(plan, 'damaged')).toEqual(expect.arrayContaining(damages.map(([, , expected]) => expected)));
    const outcome = await fleet.apply({ load });
    expect(outcome.tenants.filter((tenant) => tenant.error !== null)).toEqual([]);
    expect((await fleet.plan({ load })).summary).toMatchObject({ inSync: 3, drifted: 0 });
  });
});
