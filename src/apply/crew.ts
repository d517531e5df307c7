import { setTimeout as sleep } from 'node:timers/promises';
import { isLost } from '../database/database-errors.js';
import { Limiter } from '../database/limiter.js';
import { connectSoon, isPooled, refuseSharedBackends } from '../database/pooler.js';
import { type Database, DatabaseError, type Session } from '../database/session.js';
import { TrueupError } from '../trueup-error.js';
import { checkConnections } from './connections.js';
import { isPassing } from './failure.js';
import { FirstTurn } from './first-turn.js';
import { Gate } from './gate.js';
import { refuseReadOnly } from './read-only.js';
import { backoff } from './schedule.js';

/** A statement outside any transaction that a worker's session is busy with: long, and may give way to others. */
export interface Activity {
  readonly schema: string;
  /** The index that is built or dropped, the constraint that is validated. */
  readonly object: string;
  /** A concurrent build or drop: it waits for others' snapshots and transactions. A validation does not. */
  readonly waitsForOthers: boolean;
  /** It drops what a cancelled build left: not to be cancelled for the same reason again. */
  readonly cleaning: boolean;
  /** For whom the watch has it cancelled; it may end by itself before that. */
  yielded: Yielded | null;
  /** Settles, and never fails, once what the watch has sent to cancel it has been carried out. */
  cancelling: Promise<unknown>;
}

/** Who waits behind a build that is cancelled for it. */
export interface Yielded {
  readonly pid: number;
  readonly waited: number;
}

/** One session that makes changes. */
export interface Worker {
  session: Session;
  /** Between the tenants that it changes in parallel. */
  readonly gate: Gate;
  /** Null while nothing long runs. */
  activity: Activity | null;
}

/**
 * The sessions of a run. The keeper holds the tenants' locks, introspects, verifies and watches; the workers change, and one of
 * them reads too. With one connection the keeper is the only worker, and nobody watches.
 */
export class Crew {
  #isHalted = false;
  readonly #keeping = new Limiter(1);
  #working: Limiter;
  #free: Worker[];

  private constructor(
    private readonly database: Database,
    public keeper: Session,
    public workers: readonly Worker[],
    private readonly patience: number,
  ) {
    this.#working = new Limiter(workers.length);
    this.#free = [...workers];
  }

  /**
   * Opens as many sessions as the budget and the work allow.
   * @param concurrency connections at most
   * @param work tenants that are to be changed
   * @param patience how long a lost connection may take to come back, in milliseconds
   * @throws {TrueupError} SERVER_READ_ONLY, TOO_FEW_CONNECTIONS, POOLER_SHARES_BACKENDS: nothing was changed
   */
  static async open(database: Database, concurrency: number, work: number, patience: number): Promise<Crew> {
    const keeper = await database.connect();
    const opened: Session[] = [];
    try {
      if (!keeper.embedded) await refuseReadOnly(keeper, database.target);
      const beside = Math.min(concurrency, database.maxSessions, work + 1) - 1;
      const more = beside - database.spare;
      if (!keeper.embedded && more > 0) await checkConnections(keeper, more);
      // Side by side: each takes the server 10 ms to begin.
      const opening = Array.from({ length: Math.max(0, beside) }, async () => {
        // What a pool has besides, no catalog says: one with fewer backends would hold up the run until it hangs up on it.
        const session = isPooled([keeper]) ? await connectSoon(database) : await database.connect();
        if (session !== null) opened.push(session);
      });
      for (const result of await Promise.allSettled(opening)) if (result.status === 'rejected') throw result.reason;
      if (!keeper.embedded) await refuseSharedBackends(keeper, opened);
    } catch (error) {
      for (const session of [keeper, ...opened]) await session.close();
      throw error;
    }
    const workers = (opened.length > 0 ? opened : [keeper]).map(worker);
    return new Crew(database, keeper, workers, patience);
  }

  /** Whether somebody watches the workers. */
  get watched(): boolean {
    return this.workers[0]?.session !== this.keeper;
  }

  /** Whether nothing is to be begun: the keeper is lost, and its locks with it, or others wait for a lock that it holds. */
  get halted(): boolean {
    return this.#isHalted || this.keeper.broken;
  }

  /** Has nothing be begun until {@link mend}. */
  halt(): void {
    this.#isHalted = true;
  }

  /** The server's process ids of all sessions of the run. */
  get pids(): readonly number[] {
    return [this.keeper, ...this.workers.map(({ session }) => session)].map(({ pid }) => pid);
  }

  /** Whether a session is lost: {@link mend} opens another. */
  get broken(): boolean {
    return this.keeper.broken || this.workers.some(({ session }) => session.broken);
  }

  /** The keeper's session, for the length of `work` and for that alone: batches and the watch take turns with it. */
  async keep<T>(work: (keeper: Session) => Promise<T>): Promise<T> {
    const give = await this.#keeping.take();
    try {
      return await work(this.keeper);
    } finally {
      give();
    }
  }

  /**
   * A session that reads, once one has nothing else to do: the keeper's, or a worker's between two transactions. Else the workers
   * would wait while the keeper reads one batch after another. Always the same worker: each session has the server plan what a
   * reading asks.
   * @param work is begun anew where that worker is lost
   */
  async read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const [reader] = this.workers;
    if (!this.watched || reader === undefined || !this.#keeping.isTaken) return this.keep(work);
    // Not for one of them alone: the keeper may be reading for long, and the worker waiting for somebody's lock.
    const reading = new FirstTurn(work);
    void this.keep((keeper) => reading.begin(keeper));
    void reader.gate.alone(() => reading.begin(reader.session));
    try {
      return await reading.result;
    } catch (error) {
      if (!isLost(error)) throw error;
      return this.keep(work);
    }
  }

  /** A worker, once one is free; first come, first served. `work` is not done where those that were free are lost. */
  async withWorker(work: (worker: Worker) => Promise<void>): Promise<void> {
    const give = await this.#working.take();
    const worker = this.#free.shift();
    try {
      if (worker !== undefined) await work(worker);
    } finally {
      if (worker !== undefined && !worker.session.broken) this.#free.push(worker);
      give();
    }
  }

  /**
   * Replaces sessions that were lost, and takes up work again; between batches, when nobody has a worker. A worker whose place
   * others have taken meanwhile is done without, as long as there is another.
   * @param goesOn whether there is anything to take up: a run that was told to end must not wait for a server that is gone
   * @throws {DatabaseError | TrueupError} when the server does not come back in time
   */
  async mend(goesOn: () => boolean): Promise<void> {
    const until = Date.now() + this.patience;
    if (this.keeper.broken) {
      const alone = !this.watched;
      this.keeper = await this.#reopened(this.keeper, until, goesOn);
      const [only] = this.workers;
      if (alone && only !== undefined) only.session = this.keeper;
    }
    const there: Worker[] = [];
    let missed: unknown = null;
    for (const one of this.workers) {
      one.activity = null;
      try {
        if (one.session.broken) one.session = await this.#reopened(one.session, until, goesOn);
        there.push(one);
      } catch (error) {
        if (!isConnectionTrouble(error)) throw error;
        missed = error;
      }
    }
    if (there.length === 0) throw missed;
    this.workers = there;
    this.#working = new Limiter(there.length);
    this.#free = [...there];
    this.#isHalted = false;
  }

  /**
   * Ends every session, whatever it is doing; the connections of those that do nothing are left to the next run. A new one
   * costs that 20 ms, and its server process has nothing cached.
   */
  async close(): Promise<void> {
    // A batch that failed before it had all of its locks has some still: on a connection that waits nobody would look for them.
    await this.keeper.query('select pg_catalog.pg_advisory_unlock_all()').catch(() => {});
    for (const session of new Set([...this.workers.map((one) => one.session), this.keeper])) await session.release();
  }

  /** Gives up a server that does not even refuse: what waits for it fails as if the connections were lost. */
  cut(): void {
    this.database.cut();
  }

  /** After a failover a standby may answer that is not promoted yet: on it every tenant would fail. */
  async #connected(): Promise<Session> {
    const session = await this.database.connect();
    try {
      if (!session.embedded) await refuseReadOnly(session, this.database.target);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async #reopened(lost: Session, until: number, goesOn: () => boolean): Promise<Session> {
    await lost.close();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#connected();
      } catch (error) {
        // A server that restarts refuses connections, or says that it is starting up.
        if (!(isConnectionTrouble(error) || isPassing(error)) || Date.now() > until || !goesOn()) throw error;
        await sleep(backoff(attempt));
      }
    }
  }
}

function worker(session: Session): Worker {
  const made: Worker = { session, gate: new Gate(() => made.session), activity: null };
  return made;
}

/** Whether a run cannot go on with its sessions as they are. */
export const isConnectionTrouble = (error: unknown): boolean =>
  isLost(error) ||
  (error instanceof TrueupError && ['CONNECTION_FAILED', 'SERVER_READ_ONLY'].includes(error.code)) ||
  (error instanceof DatabaseError && error.code === '53300');
