import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, type Row } from '../database/session.js';
import type { Crew, Worker } from './crew.js';
import { waitersBehind } from './holders.js';
import type { ApplyRequest } from './request.js';

/** How often the keeper looks after the workers, in milliseconds; well below the deadlock_timeout of others (1 s). */
const INTERVAL = 250;

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
      if (control.state === 'abandoned' || (control.state === 'cancelled' && !crew.watched)) await crew.close();
      else if (crew.watched) await look(watched);
    }
  } finally {
    stopListening();
  }
  return ended;
}

async function look({ crew, database, request }: Watched): Promise<void> {
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
    for (const waiter of await waitersBehind(crew.keeper, crew.pids)) {
      // A build waits in the end for every snapshot and every writer: for one that waits behind it, too. In that deadlock
      // it can be the application that dies, after its deadlock_timeout: such a build is given up at first sight.
      const deadlocks = waiter.awaited && waiter.blocker !== crew.keeper.pid;
      // One more interval may pass before the next look: nobody is to wait longer than was said.
      if (!deadlocks && waiter.waited + INTERVAL < limits.yieldAfter) continue;
      if (waiter.blocker === crew.keeper.pid) {
        // Only advisory locks are held there, and other runs of trueup never wait for them: the application's migration.
        crew.halted = true;
        await cancel(crew, busy, waiter);
        continue;
      }
      const blocker = busy.filter(({ session }) => session.pid === waiter.blocker);
      await cancel(crew, blocker, waiter);
      for (const { activity } of blocker)
        if (activity !== null) {
          const { schema, object: index } = activity;
          observe({ kind: 'build-yielded', database, schema, index, pid: waiter.pid, waited: waiter.waited });
        }
    }
    if (busy.length > 0) await tellProgress(crew, busy, database, observe);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    if (crew.keeper.broken) crew.halted = true;
  }
}

async function cancel(
  crew: Crew,
  workers: readonly Worker[],
  waiter?: { readonly pid: number; readonly waited: number },
): Promise<void> {
  // A cancellation that comes late would hit the next statement: only what may be cancelled at any moment is.
  const busy = workers.filter((worker) => worker.activity !== null);
  if (busy.length === 0) return;
  for (const worker of busy) if (waiter !== undefined) worker.yielded ??= { pid: waiter.pid, waited: waiter.waited };
  await crew.keeper.query('select pg_catalog.pg_cancel_backend(pid) from pg_catalog.unnest($1::int4[]) pid', [
    busy.map(({ session }) => session.pid),
  ]);
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

async function tellProgress(
  crew: Crew,
  busy: readonly Worker[],
  database: string,
  observe: ApplyRequest['observe'],
): Promise<void> {
  const rows = await crew.keeper.query<ProgressRow>(
    `select pid, phase, blocks_done, blocks_total, tuples_done, tuples_total, nullif(current_locker_pid, 0) locker
       from pg_catalog.pg_stat_progress_create_index where pid = any($1::int4[])`,
    [busy.map(({ session }) => session.pid)],
  );
  for (const row of rows) {
    const activity = busy.find(({ session }) => session.pid === row.pid)?.activity;
    if (activity == null) continue;
    const blocks = Number(row.blocks_total) > 0;
    observe({
      kind: 'build-progress',
      database,
      schema: activity.schema,
      index: activity.object,
      phase: row.phase,
      done: Number(blocks ? row.blocks_done : row.tuples_done),
      total: Number(blocks ? row.blocks_total : row.tuples_total),
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
