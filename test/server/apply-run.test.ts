import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import type { FleetOutcome } from '../../src/apply/fleet-outcome.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { itemsTenant, writeItems } from '../support/items.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const items = writeItems();
const { directory } = items;
let database: TestDatabase;
let fleet: FleetUnderTest;
afterAll(() => items.remove());
beforeEach(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
});
afterEach(async () => {
  await fleet?.close();
  await database?.drop();
});

const ends = (outcome: FleetOutcome) =>
  Object.fromEntries(outcome.tenants.map(({ schema, outcome: end }) => [schema, end]));
const failureOf = (outcome: FleetOutcome, schema: string) =>
  outcome.tenants.find((tenant) => tenant.schema === schema)?.error;
const quick = { ...DEFAULT_LIMITS, lockTimeout: 100, lockWait: 1500, attempts: 3 };

it.each([1, 3])(
  'R1: with concurrency %i all tenants are tried, and two that fail stop no other',
  async (concurrency) => {
    for (const schema of ['bad1', 'bad2'])
      await database.exec(itemsTenant(schema, { rows: 3, nameless: true, without: ['not-null'] }));
    for (const schema of ['good1', 'good2']) await database.exec(itemsTenant(schema, { without: ['items_name'] }));
    const outcome = await fleet.apply({ directory, concurrency });
    expect(ends(outcome)).toEqual({ bad1: 'failed', bad2: 'failed', good1: 'converged', good2: 'converged' });
    expect(outcome.summary).toMatchObject({ tenants: 4, failed: 2, converged: 2 });
    for (const schema of ['bad1', 'bad2'])
      expect(failureOf(outcome, schema)).toMatchObject({
        code: 'TENANT_FAILED',
        sqlstate: '23514',
        // Not of the check that proves it: that is trueup's own, and gone.
        remedy: expect.stringMatching(/declared NOT NULL, and existing rows have no value/u),
      });
  },
);

it.each([1, 2, 4])('R2: never more than %i connections are open', async (concurrency) => {
  for (let at = 0; at < 12; at += 1)
    await database.exec(itemsTenant(`t${at}`, { rows: 2000, without: ['items_name', 'items_note'] }));
  const own = new Set(
    (await database.query<{ pid: number }>('SELECT pid FROM pg_stat_activity')).map(({ pid }) => pid),
  );
  let most = 0;
  let running = true;
  const counting = (async () => {
    while (running) {
      const rows = await database.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'`,
      );
      most = Math.max(most, rows.filter(({ pid }) => !own.has(pid)).length);
      await sleep(2);
    }
  })();
  const outcome = await fleet.apply({ directory, concurrency });
  running = false;
  await counting;
  expect(outcome.summary.converged).toBe(12);
  expect(most).toBe(concurrency);
});

it('R6: a table that stays locked fails its tenant alone, names the holder, and nobody waits long behind the tries', async () => {
  await database.exec(itemsTenant('locked', { without: ['note'] }) + itemsTenant('free', { without: ['note'] }));
  const holder = await database.connect();
  await holder.query(`SET application_name = 'nightly report'; BEGIN; SELECT count(*) FROM locked.items`);
  const application = await database.connect();
  let slowest = 0;
  let running = true;
  const reading = (async () => {
    while (running) {
      const from = performance.now();
      await application.query('SELECT count(*) FROM locked.items');
      slowest = Math.max(slowest, performance.now() - from);
      await sleep(5);
    }
  })();
  const outcome = await fleet.apply({ directory, run: { limits: quick } });
  running = false;
  await reading;
  expect(ends(outcome)).toEqual({ locked: 'failed', free: 'converged' });
  const failure = failureOf(outcome, 'locked');
  expect(failure).toMatchObject({ sqlstate: '55P03' });
  expect(failure?.message).toMatch(/process \d+.*nightly report.*idle in transaction/u);
  expect(slowest).toBeLessThan(quick.lockTimeout + 400);
  await holder.query('ROLLBACK');
  expect(ends(await fleet.apply({ directory }))).toEqual({ locked: 'converged', free: 'in-sync' });
});

it('R6: an index build is not begun while an old transaction is open; its holder is named', async () => {
  await database.exec(
    `${itemsTenant('builds', { rows: 50, without: ['items_note'] })} CREATE TABLE public.reports (id int);`,
  );
  const holder = await database.connect();
  await holder.query(
    `SET application_name = 'old report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM public.reports`,
  );
  await sleep(400);
  const limits = { ...quick, yieldAfter: 300, attempts: 6 };
  fleet.forget();
  const outcome = await fleet.apply({ directory, schemas: ['builds'], run: { limits } });
  expect(ends(outcome)).toEqual({ builds: 'not-attempted' });
  expect(failureOf(outcome, 'builds')).toMatchObject({ code: 'BUILD_HELD_UP' });
  expect(failureOf(outcome, 'builds')?.message).toMatch(/old report/u);
  expect(fleet.statements.filter((sql) => sql.startsWith('CREATE INDEX'))).toEqual([]);
  await holder.query('ROLLBACK');
  expect(ends(await fleet.apply({ directory, run: { limits } }))).toMatchObject({ builds: 'converged' });
});

it('R10: a schema that is dropped during the run has vanished, and the others finish', async () => {
  for (let at = 0; at < 6; at += 1)
    await database.exec(itemsTenant(`t${at}`, { rows: 5, without: ['items_note', 'not-null'] }));
  let dropped = false;
  const outcome = await fleet.apply({
    directory,
    concurrency: 2,
    run: {
      observe: (event) => {
        if (event.kind !== 'tenant-started' || dropped) return;
        dropped = true;
        execFileSync('psql', ['-qXd', database.url, '-c', 'DROP SCHEMA t3 CASCADE'], { stdio: 'ignore' });
      },
    },
  });
  expect(dropped).toBe(true);
  expect(ends(outcome)).toEqual({
    t0: 'converged',
    t1: 'converged',
    t2: 'converged',
    t3: 'vanished',
    t4: 'converged',
    t5: 'converged',
  });
});

it.each([
  ['moved', 'CREATE SCHEMA away; ALTER TABLE t1.items SET SCHEMA away', 'converged'],
  ['renamed', 'ALTER TABLE t1.items RENAME TO items_of_old', 'blocked'],
  ['dropped', 'DROP TABLE t1.items', 'converged'],
])('a table that is %s during the run is not made again, empty: its tenant is stale', async (_, sql, then) => {
  for (const schema of ['t0', 't1', 't2'])
    await database.exec(itemsTenant(schema, { rows: 5, without: ['items_note'] }));
  const outcome = await fleet.apply({
    directory,
    run: {
      observe: (event) => {
        if (event.kind === 'run-started') execFileSync('psql', ['-qXd', database.url, '-c', sql], { stdio: 'ignore' });
      },
    },
  });
  expect(ends(outcome)).toEqual({ t0: 'converged', t1: 'stale', t2: 'converged' });
  expect(failureOf(outcome, 't1')).toMatchObject({
    code: 'PLAN_STALE',
    message: expect.stringContaining('"items" is gone'),
  });
  expect(await database.query("SELECT 1 FROM pg_class WHERE oid = to_regclass('t1.items')")).toEqual([]);
  // Who plans it sees the table as missing, and may have it made; one that was renamed has its names still.
  const again = await fleet.apply({ directory, schemas: ['t1'] });
  expect(ends(again)).toEqual({ t1: then });
});

const makeBad = async (names: readonly string[]) => {
  for (const schema of names)
    await database.exec(itemsTenant(schema, { rows: 1, nameless: true, without: ['not-null'] }));
};
const makeGood = async (names: readonly string[]) => {
  for (const schema of names) await database.exec(itemsTenant(schema, { without: ['note'] }));
};

it('R12: canaries are converged first, from every drift class, and a failed one stops the run', async () => {
  await makeGood(['g1', 'g2', 'g3', 'g4']);
  await makeBad(['z1', 'z2']);
  const events: ApplyEvent[] = [];
  const outcome = await fleet.apply({ directory, run: { canary: 2, observe: (event) => events.push(event) } });
  expect(outcome.ended).toBe('canary');
  expect(outcome.summary).toMatchObject({ converged: 1, failed: 1, notAttempted: 4 });
  expect(events.filter((event) => event.kind === 'tenant-started')).toHaveLength(2);
});

it('R12: when its canaries converge, the run goes on with the rest', async () => {
  await makeGood(['g1', 'g2', 'g3', 'g4', 'g5', 'g6', 'g7']);
  const batches: number[] = [];
  const observe = (event: ApplyEvent) => {
    if (event.kind === 'batch-started') batches.push(event.tenants);
  };
  const outcome = await fleet.apply({ directory, run: { canary: 5, observe } });
  expect(outcome).toMatchObject({ ended: null, summary: { converged: 7 } });
  expect(batches).toEqual([5, 2]);
});

it.each([
  [{ tenants: 3 }, 3],
  [{ percent: 25 }, 2],
])('R12: with a bound of %o failures the run stops after %i', async (maxFailures, failed) => {
  await makeBad(['a1', 'a2', 'a3', 'a4', 'a5']);
  await makeGood(['g1', 'g2', 'g3']);
  const outcome = await fleet.apply({ directory, concurrency: 2, run: { maxFailures } });
  expect(outcome.ended).toBe('max-failures');
  expect(outcome.summary).toMatchObject({ failed, notAttempted: 8 - failed - outcome.summary.converged });
  expect(outcome.tenants).toHaveLength(8);
});

it('a deadline that is near begins nothing; one that comes during a build cancels it and cleans up', async () => {
  await makeGood(['g1']);
  const late = await fleet.apply({ directory, run: { deadline: new Date(Date.now() + 1000) } });
  expect(late).toMatchObject({ ended: 'deadline', summary: { notAttempted: 1 } });
  await database.exec(itemsTenant('builds', { rows: 5000, without: ['items_name'] }));
  const limits = { ...DEFAULT_LIMITS, drainTimeout: 50, yieldAfter: 60_000 };
  // The build begins, and cannot end while this snapshot is held.
  const holder = await database.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM g1.items');
  const outcome = await fleet.apply({
    directory,
    schemas: ['builds'],
    run: { deadline: new Date(Date.now() + 4000), limits },
  });
  await holder.query('ROLLBACK');
  expect(outcome).toMatchObject({ ended: 'deadline', summary: { notAttempted: 1 } });
  const invalid = await database.query('SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid');
  expect(invalid).toEqual([]);
  expect(ends(await fleet.apply({ directory }))).toMatchObject({ builds: 'converged' });
});

it('long work waits until the short work of all tenants is done, and runs as many at a time as index builds may', async () => {
  for (const schema of ['b1', 'b2', 'b3'])
    await database.exec(itemsTenant(schema, { rows: 30_000, without: ['items_note', 'items_name'] }));
  await makeGood(['g1', 'g2']);
  const order: string[] = [];
  let most = 0;
  let open = 0;
  const observe = (event: ApplyEvent) => {
    if (event.kind === 'tenant-started') open += 1;
    if (event.kind === 'change-finished') order.push(event.schema);
    most = Math.max(most, open);
  };
  const outcome = await fleet.apply({ directory, concurrency: 4, run: { observe } });
  expect(outcome.summary.converged).toBe(5);
  expect(order.slice(0, 4).sort()).toEqual(['g1', 'g1', 'g2', 'g2']);
});
