import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import { Gate } from '../../src/apply/gate.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { RunControl } from '../../src/apply/run-control.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { lackingExtra, notesState } from '../support/notes.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const directory = notesState();
const SCHEMAS = Array.from({ length: 20 }, (_, at) => `t${at + 10}`);
/** Neighbours in a line, one alone, the first and the last. */
const REFUSED = ['t10', 't14', 't15', 't16', 't20', 't29'];

let database: TestDatabase;
let fleet: FleetUnderTest;
beforeEach(async () => {
  database = await createTestDatabase();
  await database.exec(lackingExtra(SCHEMAS));
  await database.exec(`
    CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
    DECLARE made record;
    BEGIN
      FOR made IN SELECT schema_name FROM pg_event_trigger_ddl_commands() WHERE schema_name = ANY ('{${REFUSED.join()}}') LOOP
        RAISE EXCEPTION 'not in %', made.schema_name;
      END LOOP;
    END $$;
    CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.refuse();`);
  fleet = await openFleet(database.url);
});
afterEach(async () => {
  await fleet?.close();
  await database?.drop();
});

const changed = async () =>
  (
    await database.query<{ schema: string }>(
      `SELECT c.relnamespace::regnamespace::text "schema" FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE attname = 'extra' ORDER BY 1`,
    )
  ).map(({ schema }) => schema);

it.each([1, 2, 4])(
  'R1: a tenant that fails fails alone, whoever stands in line behind it (concurrency %i)',
  async (concurrency) => {
    const events: ApplyEvent[] = [];
    const observe = (event: ApplyEvent) => events.push(event);
    const { summary, tenants } = await fleet.apply({ directory, concurrency, run: { observe } });
    expect(summary).toMatchObject({ converged: SCHEMAS.length - REFUSED.length, failed: REFUSED.length });
    for (const { schema, outcome, error } of tenants)
      expect([schema, outcome, error?.message ?? null]).toEqual(
        REFUSED.includes(schema) ? [schema, 'failed', `not in ${schema}`] : [schema, 'converged', null],
      );
    expect(await changed()).toEqual(SCHEMAS.filter((schema) => !REFUSED.includes(schema)));
    // Who stood behind one that failed was made at once, not by another turn.
    expect(events.filter(({ kind }) => kind === 'retry')).toEqual([]);
  },
);

/** Runs `work` while somebody reads this tenant's table in a transaction, which `commit` ends. */
async function whileReading(schema: string, work: (commit: () => Promise<unknown>) => Promise<void>): Promise<void> {
  const reader = await database.connect();
  try {
    await reader.query(`BEGIN; SELECT FROM ${schema}.notes`);
    await work(() => reader.query('COMMIT'));
  } finally {
    await reader.end();
  }
}

/** Waits for every lock until the reader is through. */
const PATIENT = { ...DEFAULT_LIMITS, lockTimeout: 30_000 };
const sentTo = (schema: string) => fleet.statements.some((sql) => sql.startsWith(`LOCK TABLE ${schema}.notes`));
const TAKEN = SCHEMAS.filter((schema) => !REFUSED.includes(schema));
const SOON = { interval: 5, timeout: 20_000 };

it('the next tenants of a connection are with the server while one waits, eight with that one, and no more', () =>
  whileReading('t11', async (commit) => {
    const applying = fleet.apply({ directory, concurrency: 1, schemas: TAKEN, run: { limits: PATIENT } });
    await expect.poll(() => TAKEN.slice(0, 8).every(sentTo), SOON).toBe(true);
    expect([TAKEN.filter((schema) => !sentTo(schema)), await changed()]).toEqual([TAKEN.slice(8), []]);
    await commit();
    expect((await applying).summary).toMatchObject({ converged: TAKEN.length });
  }));

it('R1: a tenant that waits for its lock in vain takes nobody with it who was sent along', () =>
  whileReading('t12', async () => {
    const events: ApplyEvent[] = [];
    const limits = { ...DEFAULT_LIMITS, lockTimeout: 200, attempts: 1 };
    const schemas = ['t11', 't12', 't13', 't17', 't18', 't19'];
    const run = { limits, observe: (event: ApplyEvent) => events.push(event) };
    const { tenants } = await fleet.apply({ directory, concurrency: 1, schemas, run });
    const failed = tenants.filter(({ outcome }) => outcome !== 'converged');
    expect(failed).toMatchObject([
      { schema: 't12', error: { sqlstate: '55P03', message: expect.stringContaining('held by') } },
    ]);
    expect(await changed()).toEqual(schemas.filter((schema) => schema !== 't12'));
    expect(events.filter(({ kind }) => kind === 'retry')).toEqual([]);
  }));

it('no tenant stands in line behind another while a connection has nothing to do', () =>
  whileReading('t11', async (commit) => {
    const applying = fleet.apply({ directory, concurrency: 3, schemas: ['t11', 't12'], run: { limits: PATIENT } });
    await expect.poll(changed, SOON).toEqual(['t12']);
    await commit();
    expect((await applying).summary).toMatchObject({ converged: 2 });
  }));

it('at the end of a batch few stand behind a tenant that waits, and the others are made meanwhile', () =>
  whileReading('t11', async (commit) => {
    const schemas = ['t11', 't12', 't13', 't17', 't18', 't19', 't21', 't22'];
    const applying = fleet.apply({ directory, concurrency: 3, schemas, run: { limits: PATIENT } });
    await expect.poll(async () => (await changed()).length, SOON).toBe(5);
    expect(await changed()).not.toContain('t11');
    await commit();
    expect((await applying).summary).toMatchObject({ converged: schemas.length });
  }));

it('a drain finishes what is with the server, though one of it waits, and begins nothing of the rest', () =>
  whileReading('t11', async (commit) => {
    const control = new RunControl();
    const applying = fleet.apply({ directory, concurrency: 1, schemas: TAKEN, run: { limits: PATIENT, control } });
    await expect.poll(() => TAKEN.slice(0, 8).every(sentTo), SOON).toBe(true);
    control.drain('SIGTERM');
    await commit();
    expect((await applying).summary).toMatchObject({ converged: 8, notAttempted: TAKEN.length - 8 });
    expect(await changed()).toEqual(TAKEN.slice(0, 8));
  }));

it('a statement that the server does not understand fails the tenant that it is for, and none that was sent along', async () => {
  const session = await fleet.database.connect();
  const gate = new Gate(() => session);
  const explain = async (error: unknown) => error;
  const inLine = (statement: string) =>
    gate.inLine({ statements: [statement], isShort: true, goesOn: () => true, explain });
  const made = ['CREATE SCHEMA a', 'CREATE SCHEMA b NOT', 'CREATE SCHEMA c'].map(inLine);
  const ends = await Promise.allSettled(made);
  await session.close();
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await database.query(`SELECT nspname FROM pg_namespace WHERE nspname IN ('a', 'b', 'c') ORDER BY 1`)).toEqual([
    { nspname: 'a' },
    { nspname: 'c' },
  ]);
});
