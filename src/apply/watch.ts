import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, type Row } from '../database/session.js';
import type { Crew, Worker } from './crew.js';
import { type Waiter, waitersBehind } from './holders.js';
import { PhaseClock } from './phase-clock.js';
import type { ApplyRequest } from './request.js';

/** How often the keeper looks after the workers, in milliseconds; well below the deadlock_timeout of others (1 s). */
const INTERVAL = 250;

/** The server's default, in milliseconds: a session that waits longer has looked for deadlocks and found none. */
const DEADLOCK_TIMEOUT = 1000;
/** How long a wait is let be, in milliseconds: short builds get done meanwhile. Two more looks fit before the deadlock. */
const HARMLESS = 400;
/** A build that goes on for so long, in milliseconds, meets nobody who waits for less than the deadlock timeout now. */
const SAFE = 2000;

/** A look takes milliseconds: a server that owes it an answer for so long, in milliseconds, counts as gone. */
const SILENCE = 120_000;

/** What the watch needs of a run. */
export interface Watched {
  readonly crew: Crew;
  readonly database: string;
  readonly request: Pick<ApplyRequest, 'limits' | 'control' | 'observe'>;
}

/**
 * Looks after the workers from the keeper's session until their work is done: makes builds give way to sessions that wait
 * behind them, tells how far builds are, and cancels what runs when the run is cancelled. The keeper is free again when
 * this returns. Without a keeper of its own a run can only be cut off.
 */
export async function watchWhile<T>(watched: Watched, work: Promise<T>): Promise<T> {
  const { crew, request } = watched;
  const { control } = request;
  const clock = new PhaseClock();
  let working = true;
  let wake = () => {};
  const ended = work.finally(() => {
    working = false;
    wake();
  });
  // Its failure is the caller's to see; here it must not count as unhandled.
  ended.catch(() => {});
  const stopListening = control.onChange(() => wake());
  try {
    while (working) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([sleep(INTERVAL, undefined, { ref: false }), changed]);
      if (!working) break;
      if (!crew.watched && ['cancelled', 'abandoned'].includes(control.state)) await crew.close();
      else if (crew.watched) await crew.keep(() => unlessSilent(crew, look(watched, clock)));
    }
  } finally {
    stopListening();
  }
  return ended;
}

/** A frozen server, and a network that swallows everything, end no connection: TCP takes a quarter of an hour, or never notices. */
async function unlessSilent(crew: Crew, looked: Promise<void>): Promise<void> {
  const silent = setTimeout(() => crew.cut(), SILENCE);
  await looked.finally(() => clearTimeout(silent));
}

async function look({ crew, database, request }: Watched, clock: PhaseClock): Promise<void> {
  const { limits, control, observe } = request;
  try {
    if (control.state === 'cancelled') {
      await cancel(
        crew,
        crew.workers.filter(({ activity }) => activity?.cleaning === false),
      );
      return;
    }
    const busy = crew.workers.filter((worker) => worker.activity !== null);
    if (busy.length > 0) await readProgress(crew, busy, clock, database, observe);
    for (const waiter of await waitersBehind(crew.keeper, crew.pids)) {
      // One more interval may pass before the next look: nobody is to wait longer than was said.
      const late = waiter.waited + INTERVAL >= limits.yieldAfter;
      if (waiter.blocker === crew.keeper.pid) {
        // Only advisory locks are held there, and other runs of trueup never wait for them: the application's migration.
        if (!late && !waiter.mutual) continue;
        crew.halt();
        await cancel(crew, busy, waiter);
        continue;
      }
      const blocker = busy.filter(({ session }) => session.pid === waiter.blocker);
      const giving = blocker.filter((worker) => late || endangers(waiter, worker, clock));
      await cancel(crew, giving, waiter);
      for (const { activity } of giving)
        if (activity !== null) {
          const { schema, object: index } = activity;
          observe({ kind: 'build-yielded', database, schema, index, pid: waiter.pid, waited: waiter.waited });
        }
    }
  } catch (error) {
    // With the keeper lost nothing is begun any more.
    if (!(error instanceof DatabaseError)) throw error;
  }
}

/**
 * Whether a session that waits behind a concurrent build or drop is about to lose a deadlock with it. In the end both wait
 * for every older snapshot and every writer, for one that waits behind them too; a session looks for deadlocks once, when it
 * has waited for its deadlock_timeout (1 s), and what it finds then is its own death. Later it is the build that would die.
 */
function endangers(waiter: Waiter, { activity, session }: Worker, clock: PhaseClock): boolean {
  if (waiter.mutual) return true;
  if (activity?.waitsForOthers !== true || !waiter.awaited) return false;
  if (waiter.waited < HARMLESS || waiter.waited > DEADLOCK_TIMEOUT) return false;
  return clock.busyFor(session.pid) < SAFE;
}

async function cancel(
  crew: Crew,
  workers: readonly Worker[],
  waiter?: { readonly pid: number; readonly waited: number },
): Promise<void> {
  const busy = workers.flatMap(({ activity, session: { pid } }) => (activity === null ? [] : [{ activity, pid }]));
  if (busy.length === 0) return;
  const cancelling = crew.keeper.query(
    'select pg_catalog.pg_cancel_backend(pid) from pg_catalog.unnest($1::int4[]) pid',
    [busy.map(({ pid }) => pid)],
  );
  for (const { activity } of busy) {
    if (waiter !== undefined) activity.yielded ??= { pid: waiter.pid, waited: waiter.waited };
    activity.cancelling = cancelling.catch(() => {});
  }
  await cancelling;
}

interface ProgressRow extends Row {
  readonly pid: number;
  readonly phase: string;
  readonly blocks_done: string;
  readonly blocks_total: string;
  readonly tuples_done: string;
  readonly tuples_total: string;
  readonly locker: string | null;
}

async function readProgress(
  crew: Crew,
  busy: readonly Worker[],
  clock: PhaseClock,
  database: string,
  observe: ApplyRequest['observe'],
): Promise<void> {
  const rows = await crew.keeper.query<ProgressRow>(
    `select pid, phase, blocks_done, blocks_total, tuples_done, tuples_total, nullif(current_locker_pid, 0) locker
       from pg_catalog.pg_stat_progress_create_index where pid = any($1::int4[])`,
    [busy.map(({ session }) => session.pid)],
  );
  clock.forget(busy.map(({ session }) => session.pid));
  for (const row of rows) {
    const activity = busy.find(({ session }) => session.pid === row.pid)?.activity;
    if (activity == null) continue;
    const blocks = Number(row.blocks_total) > 0;
    const { phase } = row;
    const done = Number(blocks ? row.blocks_done : row.tuples_done);
    const total = Number(blocks ? row.blocks_total : row.tuples_total);
    clock.note(row.pid, { phase, done, total }, performance.now());
    const { schema, object: index } = activity;
    observe({
      kind: 'build-progress',
      database,
      schema,
      index,
      phase,
      done,
      total,
      unit: blocks ? 'blocks' : 'tuples',
    });
    if (row.locker !== null)
      observe({
        kind: 'tenant-waiting',
        database,
        schema: activity.schema,
        message: `the build of "${activity.object}" is ${row.phase}: process ${row.locker} holds it up`,
      });
  }
}
