import { afterAll, beforeAll, expect, it } from 'vitest';
import { Crew } from '../../src/apply/crew.js';
import type { Session } from '../../src/database/session.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.exec('CREATE TABLE items ()');
  fleet = await openFleet(database.url);
});
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
});

const SOON = { interval: 5, timeout: 20_000 };

/** Runs with a keeper, and two workers. */
async function withCrew(run: (crew: Crew, reader: Session) => Promise<void>): Promise<void> {
  const crew = await Crew.open(fleet.database, 3, 10, 10_000);
  try {
    const [reader] = crew.workers;
    if (reader === undefined) throw new Error('there is no worker');
    await run(crew, reader.session);
  } finally {
    await crew.close();
  }
}

const whoReads = (crew: Crew) => crew.read(async ({ pid }) => pid);
const terminate = (pid: number) => database.query(`SELECT pg_terminate_backend(${pid})`);

/** Has the keeper at work until that is ended. */
function busyKeeper(crew: Crew): () => void {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  void crew.keep(() => ended);
  return end;
}

it('a worker reads while the keeper is at work, and the keeper once it is free', () =>
  withCrew(async (crew, reader) => {
    const end = busyKeeper(crew);
    expect(await whoReads(crew)).toBe(reader.pid);
    end();
    await expect.poll(() => whoReads(crew), SOON).toBe(crew.keeper.pid);
  }));

it('the keeper reads where the worker waits for somebody’s lock', () =>
  withCrew(async (crew) => {
    const holder = await database.connect();
    await holder.query('BEGIN; LOCK TABLE items');
    const changed = crew.workers[0]?.gate.inLine({
      statements: ['LOCK TABLE public.items'],
      isShort: true,
      goesOn: () => true,
      explain: async (error) => error,
    });
    await expect
      .poll(async () => (await database.query('SELECT FROM pg_locks WHERE NOT granted')).length, SOON)
      .toBe(1);
    const end = busyKeeper(crew);
    const reading = whoReads(crew);
    end();
    expect(await reading).toBe(crew.keeper.pid);
    await holder.end();
    expect(await changed).toBe(true);
  }));

it('what a worker was reading when it was lost is read by the keeper', () =>
  withCrew(async (crew, reader) => {
    const end = busyKeeper(crew);
    const pids: number[] = [];
    const reading = crew.read(async (session) => {
      pids.push(session.pid);
      if (session === reader) await terminate(reader.pid);
      return session.query<{ n: number }>('select 1 n');
    });
    await expect.poll(() => reader.broken, SOON).toBe(true);
    end();
    expect(await reading).toEqual([{ n: 1 }]);
    expect(pids).toEqual([reader.pid, crew.keeper.pid]);
  }));

it('nothing is begun once the keeper’s connection is cut, and again once it is mended', () =>
  withCrew(async (crew) => {
    expect(crew.halted).toBe(false);
    await terminate(crew.keeper.pid);
    await expect.poll(() => crew.halted, SOON).toBe(true);
    await crew.mend(() => true);
    expect(crew.halted).toBe(false);
  }));
