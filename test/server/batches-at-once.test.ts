import type pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { RunControl } from '../../src/apply/run-control.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { lackingExtra, notesState } from '../support/notes.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const directory = notesState();
/** Nothing is given up, and tried again, before the reader has ended. */
const PATIENT = { ...DEFAULT_LIMITS, lockTimeout: 30_000 };
const SOON = { interval: 5, timeout: 20_000 };
const SCHEMAS = ['t1', 't2', 't3', 't4', 't5', 't6'];

let database: TestDatabase;
let fleet: FleetUnderTest;
let reader: pg.Client;
beforeEach(async () => {
  database = await createTestDatabase();
  // They lack a column.
  await database.exec(lackingExtra(SCHEMAS));
  fleet = await openFleet(database.url);
  reader = await database.connect();
});
afterEach(async () => {
  await reader?.end();
  await fleet?.close();
  await database?.drop();
});

const count = async (sql: string) => (await database.query(sql)).length;
const locked = () =>
  count(
    `SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
const changed = () => count(`SELECT FROM pg_attribute WHERE attname = 'extra'`);

/** Applies in batches of two, while a reader keeps the first two batches' tenants from being changed: either may be read first. */
async function applyBehindReader(concurrency: number, meanwhile: (control: RunControl) => Promise<void>) {
  await reader.query(SCHEMAS.slice(0, 4).reduce((sql, schema) => `${sql}; SELECT FROM ${schema}.notes`, 'BEGIN'));
  const events: ApplyEvent[] = [];
  const control = new RunControl();
  const observe = (event: ApplyEvent) => events.push(event);
  const applying = fleet.apply({ directory, concurrency, run: { batch: 2, limits: PATIENT, observe, control } });
  await expect.poll(() => events.filter(({ kind }) => kind === 'tenant-started').length, SOON).toBe(2);
  await expect.poll(() => count('SELECT FROM pg_locks WHERE NOT granted'), SOON).toBe(2);
  await meanwhile(control);
  await reader.query('COMMIT');
  return { outcome: await applying, events };
}

it('while a batch is changed the next one is locked and read, and no third', async () => {
  const { outcome } = await applyBehindReader(3, async () => {
    await expect.poll(locked, SOON).toBe(4);
    expect(await changed()).toBe(0);
    // The plan's reading, the first batch's and the second's.
    await expect.poll(() => fleet.statements.filter((sql) => sql.includes("'shape' what")).length, SOON).toBe(3);
    expect(await locked()).toBe(4);
  });
  expect(outcome.summary).toMatchObject({ tenants: 6, converged: 6 });
  expect(await locked()).toBe(0);
});

it('with one connection a batch is through before the next is begun', async () => {
  await reader.query('BEGIN; SELECT FROM t1.notes');
  const applying = fleet.apply({ directory, concurrency: 1, run: { batch: 2, limits: PATIENT } });
  await expect.poll(locked, SOON).toBe(2);
  await expect.poll(() => fleet.statements.some((sql) => sql.startsWith('LOCK TABLE t1.notes')), SOON).toBe(true);
  expect(await locked()).toBe(2);
  await reader.query('COMMIT');
  expect((await applying).summary).toMatchObject({ tenants: 6, converged: 6 });
});

it('a drain leaves the batch that was read ahead as it is, and unlocked', async () => {
  const { outcome, events } = await applyBehindReader(3, async (control) => {
    await expect.poll(locked, SOON).toBe(4);
    control.drain('SIGTERM');
  });
  expect(events.filter(({ kind }) => kind === 'tenant-started')).toHaveLength(2);
  expect(outcome.summary).toMatchObject({ tenants: 6, converged: 2, notAttempted: 4 });
  expect(await changed()).toBe(2);
  expect(await locked()).toBe(0);
});

it('a tenant that fails in one batch keeps none of the other from converging', async () => {
  await database.exec(`
    CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS
      $$ BEGIN IF current_query() LIKE '%t3.notes%' THEN RAISE 'not today'; END IF; END $$;
    CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION refuse()`);
  const outcome = await fleet.apply({ directory, concurrency: 3, run: { batch: 2 } });
  expect(outcome.tenants.map(({ schema, outcome: end }) => [schema, end])).toEqual(
    SCHEMAS.map((schema) => [schema, schema === 't3' ? 'failed' : 'converged']),
  );
  expect(outcome.tenants[2]?.error?.message).toContain('not today');
  expect(await locked()).toBe(0);
});
