import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, inject, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = `
version: 1
tenants: { having_tables: [notes] }
migration_lock: { key: hashtext(schema) }
phases: [{ name: base, file: base.yaml }]
`;
/** An index that takes the server about a quarter of a millisecond a row; a partial one waits for snapshots as well. */
const BASE = `
tables:
  notes:
    columns: { id: { type: bigint, nullable: false }, body: text, extra: text }
    primary_key: { name: notes_pkey, columns: [id] }
    indexes:
      - { name: notes_slow, keys: [{ expression: "md5(repeat(body, 20000))" }], where: id > 0 }
`;
const directory = temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE });

let database: TestDatabase;
let fleet: FleetUnderTest;
let application: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
  application = await database.connect();
  await application.query("SET application_name = 'migration'");
});
afterEach(() => application.query('SELECT pg_advisory_unlock_all()'));
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
});

/** A tenant that lacks a column and, with rows, an index. */
const tenant = (schema: string, rows: number): string => `
  CREATE SCHEMA ${schema};
  CREATE TABLE ${schema}.notes (id bigint NOT NULL, body text, CONSTRAINT notes_pkey PRIMARY KEY (id));
  INSERT INTO ${schema}.notes SELECT n, n::text FROM generate_series(1, ${rows}) n;`;

const lock = (schema: string) => application.query('SELECT pg_advisory_lock(hashtext($1))', [schema]);
const unlock = (schema: string) => application.query('SELECT pg_advisory_unlock(hashtext($1))', [schema]);

/** Deadlocks that the server has reported for this database. */
function deadlocks(): readonly string[] {
  const log = inject('testServer').logFile;
  if (log === null) throw new Error('this test reads the server’s log');
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`@${database.name} `) && line.includes('deadlock detected'));
}

it('a tenant whose migration runs is waited for, and the others are converged meanwhile', async () => {
  await database.exec(tenant('migrating', 3) + tenant('other', 3));
  await lock('migrating');
  const told: string[] = [];
  const observe = (event: ApplyEvent) => {
    if (event.kind === 'tenant-waiting') told.push(`${event.schema} waits: ${event.message}`);
    if (event.kind === 'tenant-finished') told.push(`${event.schema} ${event.outcome}`);
    if (told.length === 2) void unlock('migrating');
  };
  const outcome = await fleet.apply({ directory, run: { observe } });
  expect(told).toEqual([
    expect.stringMatching(/^migrating waits: .*the application’s own migration/u),
    'other converged',
    'migrating converged',
  ]);
  expect(outcome.summary).toMatchObject({ tenants: 2, converged: 2 });
});

it('a tenant whose migration runs for longer than --lock-wait is left untouched for another run', async () => {
  await database.exec(tenant('busy', 3));
  await lock('busy');
  const run = { limits: { ...DEFAULT_LIMITS, lockWait: 1000 } };
  const outcome = await fleet.apply({ directory, schemas: ['busy'], run });
  const message = expect.stringMatching(/"busy": process \d+ \(application "migration", user "\w+", idle/u);
  expect(outcome.tenants).toMatchObject([
    { schema: 'busy', outcome: 'not-attempted', changes: [], error: { code: 'TENANT_LOCKED', message } },
  ]);
  await unlock('busy');
  expect((await fleet.apply({ directory, schemas: ['busy'], run })).summary).toMatchObject({ converged: 1 });
});

it('a migration that waits while apply builds gets its lock within --yield-after, and nobody deadlocks', async () => {
  const schema = 'building';
  // Half a second's scan; then the build would wait for the migration's snapshot, and the migration for the keeper.
  await database.exec(tenant(schema, 2500));
  const yieldAfter = 1500;
  let waited = Number.POSITIVE_INFINITY;
  let migration: Promise<void> | null = null;
  const retried: string[] = [];
  const migrate = async () => {
    const from = performance.now();
    await lock(schema);
    waited = performance.now() - from;
    // As a migration would: under its lock nobody else changes the tenant.
    await application.query(`ALTER TABLE ${schema}.notes ADD COLUMN IF NOT EXISTS extra text`);
    await sleep(500);
    await unlock(schema);
  };
  const observe = (event: ApplyEvent) => {
    if (event.kind === 'build-progress') migration ??= migrate();
    if (event.kind === 'retry') retried.push(event.failure.code);
  };
  const run = { observe, limits: { ...DEFAULT_LIMITS, yieldAfter } };
  const outcome = await fleet.apply({ directory, schemas: [schema], run });
  await migration;
  expect(outcome.tenants).toMatchObject([{ schema, outcome: 'converged', error: null }]);
  expect(retried).toContain('BUILD_YIELDED');
  // The watch's own interval, the cancellation and the verification of the batch come on top.
  expect(waited).toBeLessThan(yieldAfter + 2500);
  expect(deadlocks()).toEqual([]);
  expect(await database.query('SELECT FROM pg_index WHERE NOT indisvalid')).toEqual([]);
});
