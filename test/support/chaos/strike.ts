import { setTimeout as sleep } from 'node:timers/promises';
import type { TestServer } from '../postgres/server.js';
import type { TestDatabase } from '../test-database.js';
import { APPLIER } from './fleet.js';
import type { Running } from './program.js';
import type { CuttableProxy } from './proxy.js';
import { type Blow, DOINGS, type Interruption, type Moment } from './round.js';

/** What a run can be hit through. */
export interface Exposed {
  readonly running: Running;
  readonly server: TestServer;
  readonly database: TestDatabase;
  readonly proxy: CuttableProxy;
  /** Milliseconds that a whole run takes. */
  readonly whole: number;
}

/** Share of a whole run after which what was to be seen is waited for no longer: a round without a blow shows nothing. */
const LATEST = 0.6;

/** Waits for the moment and strikes. False: the run ended before, so that nothing was struck. */
export async function strike({ blow, moment }: Interruption, exposed: Exposed): Promise<boolean> {
  let running = true;
  const over = exposed.running.ended.finally(() => {
    running = false;
  });
  over.catch(() => {});
  if (!(await reached(moment, exposed, () => running))) return false;
  await BY[blow](exposed);
  return true;
}

async function reached(moment: Moment, { database, whole }: Exposed, running: () => boolean): Promise<boolean> {
  if (moment.kind === 'share') {
    await sleep(moment.share * whole);
    return running();
  }
  const latest = Date.now() + LATEST * whole;
  let seen = 0;
  let before = new Set<string>();
  while (running()) {
    const rows = await database.query<{ pid: number; state: string; query: string }>(
      `SELECT pid, state, query FROM pg_stat_activity WHERE usename = '${APPLIER}' AND datname = current_database()`,
    );
    const now = new Set<string>();
    for (const { pid, state, query } of rows) {
      const fits: boolean =
        moment.doing === 'idle in transaction'
          ? state === 'idle in transaction'
          : state === 'active' && DOINGS[moment.doing].test(query);
      if (!fits) continue;
      // The same statement seen twice in a row is one sight.
      const sight = `${pid} ${query}`;
      now.add(sight);
      if (!before.has(sight)) seen += 1;
    }
    before = now;
    if (seen >= moment.nth) {
      await sleep(moment.later);
      return running();
    }
    if (Date.now() > latest) return true;
    await sleep(1);
  }
  return false;
}

const BY: Readonly<Record<Blow, (exposed: Exposed) => Promise<unknown>>> = {
  'kill the process': async ({ running }) => running.kill('SIGKILL'),
  'crash the server': ({ server }) => server.restart('immediate'),
  'end every session': ({ database }) => endSessions(database, ''),
  'end one session': ({ database }) =>
    endSessions(database, "ORDER BY (state = 'active') DESC, query_start DESC LIMIT 1"),
  'reset every connection': async ({ proxy }) => proxy.reset(),
};

const endSessions = (database: TestDatabase, which: string): Promise<unknown> =>
  database.query(
    `SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
      WHERE usename = '${APPLIER}' AND datname = current_database() ${which}) hit`,
  );
