import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Crew } from '../../src/apply/crew.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { RunControl } from '../../src/apply/run-control.js';
import { watchWhile } from '../../src/apply/watch.js';
import { CONNECTION_LOST } from '../../src/database/database-errors.js';
import { DatabaseError } from '../../src/database/session.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A keeper whose server never answers, and a worker's build; both fail once the connections are cut. */
function watching() {
  let cut = () => {};
  const lost = new Promise<never>((_, reject) => {
    cut = () => reject(new DatabaseError('the connection is lost', CONNECTION_LOST));
  });
  const looks: ((rows: readonly []) => void)[] = [];
  const answer = () => new Promise<readonly []>((resolve) => looks.push(resolve));
  const keeper = { pid: 1, broken: false, query: () => Promise.race([answer(), lost]) };
  const crew = { watched: true, workers: [], pids: [1], keeper, cut, keep: (work: () => unknown) => work() };
  const request = { limits: DEFAULT_LIMITS, control: new RunControl(), observe: () => {} };
  const ended = watchWhile({ crew: crew as unknown as Crew, database: 'main', request }, lost);
  return { ended: ended.catch((error: unknown) => error), looks };
}

/** The watch's own pauses are of real time. */
const look = (looks: readonly unknown[], nth: number) =>
  vi.waitFor(() => expect(looks.length).toBe(nth), { timeout: 10_000 });

it('a server that owes the watch an answer for two minutes is given up, with all that waits for it; a slow one is not', async () => {
  const { ended, looks } = watching();
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  await look(looks, 1);
  await vi.advanceTimersByTimeAsync(119_000);
  looks[0]?.([]);
  await look(looks, 2);
  await vi.advanceTimersByTimeAsync(119_000);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(2000);
  expect(await ended).toMatchObject({ code: CONNECTION_LOST });
});
