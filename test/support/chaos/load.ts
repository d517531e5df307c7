import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** How long one statement of a loop took, in milliseconds. */
export interface Wait {
  readonly loop: string;
  readonly ms: number;
}

/** Loops of statements that go on until they are stopped. */
export interface Load {
  /** Ends the loops after their current statement; gives every statement's wait. A statement's failure is thrown here. */
  stop(): Promise<readonly Wait[]>;
}

/** Runs each loop's statement again and again, one after another, with a small pause between. */
export function startLoad(
  loops: readonly { readonly name: string; readonly client: pg.Client; readonly statement: (turn: number) => string }[],
  pause = 3,
): Load {
  const waits: Wait[] = [];
  let running = true;
  const all = loops.map(async ({ name, client, statement }) => {
    for (let turn = 1; running; turn += 1) {
      const sql = statement(turn);
      const began = performance.now();
      await client.query(sql);
      waits.push({ loop: name, ms: performance.now() - began });
      await sleep(pause);
    }
  });
  // Until it is asked for, a failure must not count as unhandled.
  for (const loop of all) loop.catch(() => {});
  return {
    stop: async () => {
      running = false;
      await Promise.all(all);
      return waits;
    },
  };
}

/** The longest wait, and how many there were. */
export const longest = (waits: readonly Wait[]): Wait & { readonly count: number } => ({
  ...waits.reduce((most, one) => (one.ms > most.ms ? one : most), { loop: 'none', ms: 0 }),
  count: waits.length,
});
