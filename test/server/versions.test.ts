import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quoteIdentifier } from '../../src/sql/quote.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { startServer, type TestServer } from '../support/postgres/server.js';
import { OTHER_VERSIONS, otherPostgres } from '../support/postgres/versions.js';

const ROOMS_FLEET = `
version: 1
tenants: { having_tables: [rooms, stays] }
phases:
  - { name: base, file: base.yaml }
`;

const ROOMS = `
tables:
  rooms:
    columns:
      room: { type: int4, nullable: false }
      nights: int4range
      during: { type: daterange, nullable: false }
    primary_key: { name: rooms_pkey, columns: [room] }
    unique:
      - { name: rooms_during_key, columns: [nights, during] }
  stays:
    columns:
      id: { type: int4, nullable: false }
      room: int4
      again: int4
    primary_key: { name: stays_pkey, columns: [id] }
    checks:
      - { name: stays_check, expression: id > 0 }
    foreign_keys:
      - { name: stays_again_fkey, columns: [again], references: { table: rooms, columns: [room] }, on_delete: set null }
      - { name: stays_room_fkey, columns: [room], references: { table: rooms, columns: [room] } }
`;

/** Constraints that do less than the declared ones of their names, and the versions that have such. */
const LESSER = [
  {
    since: 15,
    constraint: 'stays.stays_again_fkey',
    sql: `ALTER TABLE stays DROP CONSTRAINT stays_again_fkey,
      ADD CONSTRAINT stays_again_fkey FOREIGN KEY (again) REFERENCES rooms (room) ON DELETE SET NULL (again)`,
  },
  {
    since: 18,
    constraint: 'stays.stays_room_fkey',
    sql: 'ALTER TABLE stays ALTER CONSTRAINT stays_room_fkey NOT ENFORCED',
  },
  {
    since: 18,
    constraint: 'stays.stays_check',
    sql: 'ALTER TABLE stays DROP CONSTRAINT stays_check, ADD CONSTRAINT stays_check CHECK (id > 0) NOT ENFORCED',
  },
  {
    since: 18,
    constraint: 'rooms.rooms_during_key',
    sql: `ALTER TABLE rooms DROP CONSTRAINT rooms_during_key,
      ADD CONSTRAINT rooms_during_key UNIQUE (nights, during WITHOUT OVERLAPS)`,
  },
];

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

  it('C9: a constraint that does less than the declared one of its name, by what only newer versions have, is replaced', async () => {
    const directory = temporaryDesiredState({ 'fleet.yaml': ROOMS_FLEET, 'base.yaml': ROOMS });
    const options = { directory, schemas: ['rooms_good', 'rooms'] };
    await fleet.provision(options.schemas, { directory });
    await client.query(`SET search_path = rooms;
      INSERT INTO rooms VALUES (1, '[1,2)', '[2030-01-01,2030-01-02)'), (2, '[2,3)', '[2030-01-01,2030-01-02)');
      INSERT INTO stays VALUES (1, 1, 1)`);
    const lesser = LESSER.filter(({ since }) => Number(major) >= since);
    for (const { sql } of lesser) await client.query(sql);
    const plan = await fleet.plan(options);
    expect(changesOf(plan, 'rooms_good')).toEqual([]);
    expect([...changesOf(plan, 'rooms')].sort()).toEqual(
      lesser.map(({ constraint }) => `replace-constraint ${constraint} pending`).sort(),
    );
    const outcome = await fleet.apply(options);
    expect(outcome.tenants.map((tenant) => [tenant.outcome, tenant.error])).toEqual(
      expect.arrayContaining([[lesser.length > 0 ? 'converged' : 'in-sync', null]]),
    );
    expect((await fleet.plan(options)).summary).toMatchObject({ inSync: 2, drifted: 0 });
    const { rows } = await client.query(
      "SELECT conname FROM pg_constraint WHERE connamespace = 'rooms'::regnamespace AND conname LIKE 'trueup%'",
    );
    expect(rows).toEqual([]);
  });
});
