import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseMemory } from '../catalog/database-memory.js';
import { type Database, DatabaseError } from '../database/session.js';
import type { DatabasePlan } from '../plan/fleet-plan.js';
import { TrueupError } from '../trueup-error.js';
import { by, type DatabaseRun, runBatch, settle } from './batch.js';
import { Crew, isConnectionTrouble } from './crew.js';
import { applyDatabaseChanges } from './database-changes.js';
import { retried } from './decision.js';
import { anyFailure } from './failure.js';
import type { FleetOutcome } from './fleet-outcome.js';
import { Ledger, unreadableOutcome } from './ledger.js';
import { summariseOutcomes, type TenantOutcome } from './outcome.js';
import type { ApplyRequest } from './request.js';
import { Schedule, type Task, type Turn } from './schedule.js';
import { watchWhile } from './watch.js';
import { hasWork } from './work.js';

/** One database's part of an apply: its sessions, what it did once, and what is known of its tenants. */
export class DatabaseApply {
  databaseChanges: FleetOutcome['databaseChanges'];
  /** Why nothing could be begun here. */
  failure: TrueupError | DatabaseError | null = null;
  /** Why it could not be gone on with: its server went away, and did not come back in time. */
  #lost: TrueupError | DatabaseError | null = null;
  #crew: Crew | null = null;
  #stopListening = (): void => {};
  readonly #ledger = new Ledger();
  readonly #told = new Set<string>();
  readonly #pending: ReadonlyMap<string, DatabasePlan['tenants'][number]>;

  constructor(
    private readonly database: Database,
    private readonly target: DatabasePlan,
    private readonly request: ApplyRequest,
    private readonly onFailure: (tenant: { readonly database: string; readonly schema: string }) => void,
  ) {
    this.databaseChanges = target.databaseChanges.map((change) => ({ change, result: 'not-applied' }));
    this.#pending = new Map(
      target.tenants.filter((tenant) => hasWork(tenant, request)).map((tenant) => [tenant.schema, tenant]),
    );
  }

  get id(): string {
    return this.target.id;
  }

  /** Whether its server went away during the run. */
  get isLost(): boolean {
    return this.#lost !== null;
  }

  /** Opens the sessions and makes what the database needs once. Where that fails, `failure` says why. */
  async begin(): Promise<void> {
    const { observe, control, concurrency, limits } = this.request;
    const { tenants } = this.target;
    observe({ kind: 'run-started', database: this.id, tenants: tenants.length, pending: this.#pending.size });
    if (!control.running || (this.#pending.size === 0 && this.databaseChanges.length === 0)) return;
    // Whatever waits for an answer then, in a batch or between two: a network that swallows everything would hold the run, and
    // its report, for ever.
    this.#stopListening = control.onChange(() => {
      if (control.state === 'abandoned') this.database.cut();
    });
    try {
      const connections = this.#isOneNew() ? 1 : concurrency;
      this.#crew = await Crew.open(this.database, connections, this.#pending.size, limits.lockWait);
      this.databaseChanges = await applyDatabaseChanges(this.#crew.keeper, this.target);
    } catch (error) {
      if (!(error instanceof TrueupError || error instanceof DatabaseError)) throw error;
      this.failure = error;
    }
  }

  /** Batch by batch, until none of these tenants is left or the run is to end. */
  async converge(schemas: readonly string[]): Promise<void> {
    const { control } = this.request;
    const crew = this.#crew;
    if (crew === null || this.failure !== null || schemas.length === 0) return;
    const run = this.#runOf(crew, new Schedule(schemas, this.request.batch));
    while (control.running && this.#lost === null) {
      const turn = run.schedule.next(Date.now());
      if (turn.kind === 'done') return;
      if (turn.kind === 'wait') {
        await waitFor(turn.ms, control);
        continue;
      }
      const round = turn.lane === 'long' ? this.#batch(run, turn) : this.#shortBatches(run);
      this.#lost = await recover(await watchWhile({ crew, database: this.id, request: this.request }, round), run);
    }
  }

  /**
   * Short batches until none is due, two at a time: while one is changed the next is locked and read, and the one before it
   * verified. Else the workers would wait for the keeper for half of the time, or longer.
   */
  async #shortBatches(run: DatabaseRun): Promise<readonly Trouble[]> {
    const { crew, schedule } = run;
    const troubles: Trouble[] = [];
    const oneByOne = async (): Promise<void> => {
      while (this.request.control.running && !crew.halted && !crew.broken && troubles.length === 0) {
        const turn = schedule.next(Date.now());
        if (turn.kind !== 'batch' || turn.lane !== 'short') return;
        troubles.push(...(await this.#batch(run, turn)));
      }
    };
    await Promise.all(crew.watched ? [oneByOne(), oneByOne()] : [oneByOne()]);
    return troubles;
  }

  async #batch(run: DatabaseRun, { lane, tasks }: Extract<Turn, { kind: 'batch' }>): Promise<readonly Trouble[]> {
    run.schedule.take(tasks);
    try {
      this.request.observe({ kind: 'batch-started', database: this.id, tenants: tasks.length });
      await runBatch(run, lane, tasks);
      return [];
    } catch (error) {
      return [{ error, tasks }];
    }
  }

  /** Whether a tenant has failed, or was left for others' sake. */
  isTroubled(schema: string): boolean {
    return this.failure !== null || this.#lost !== null || this.#ledger.isTroubled(schema);
  }

  /** Every tenant's end. */
  end(): readonly TenantOutcome[] {
    const { tenants, unreadable } = this.target;
    if (this.failure !== null) {
      const failure = anyFailure(this.failure);
      for (const schema of this.#pending.keys()) this.#ledger.leave(schema, { kind: 'not-attempted', failure });
    }
    if (this.#lost !== null) {
      const failure = anyFailure(this.#lost);
      for (const planned of this.#pending.values())
        if (this.#ledger.isOpen(planned)) this.#ledger.leave(planned.schema, { kind: 'not-attempted', failure });
    }
    const ends = [...tenants.map((tenant) => this.#ledger.outcome(tenant)), ...unreadable.map(unreadableOutcome)];
    for (const tenant of ends) this.#tell(tenant);
    this.request.observe({ kind: 'run-finished', database: this.id, outcomes: { ...summariseOutcomes(ends) } });
    return ends;
  }

  /** Ends its sessions. */
  async close(): Promise<void> {
    await this.#crew?.close();
    this.#stopListening();
  }

  /** One schema that does not exist yet: nobody can wait for it, so that nobody need watch. */
  #isOneNew(): boolean {
    const [tenant, ...others] = this.#pending.values();
    return tenant?.isNew === true && others.length === 0;
  }

  #runOf(crew: Crew, schedule: Schedule): DatabaseRun {
    const { database, request } = this;
    const isUnchanged = this.databaseChanges.length === 0;
    let memory = (isUnchanged ? this.target.memory : undefined) ?? new DatabaseMemory(database);
    return {
      database,
      crew,
      request,
      schedule,
      ledger: this.#ledger,
      allowedSchemas: this.target.allowedSchemas,
      isUnchanged,
      memory: () => {
        if (memory.isStale) memory = new DatabaseMemory(database);
        return memory;
      },
      planned: (schema) => this.#pending.get(schema) ?? null,
      isNew: (schema) => this.#pending.get(schema)?.isNew ?? false,
      failed: (schema) => this.onFailure({ database: this.id, schema }),
      ended: (schema) => {
        const tenant = this.#pending.get(schema);
        if (tenant !== undefined) this.#tell(this.#ledger.outcome(tenant));
        request.progress.advance();
      },
    };
  }

  #tell({ database, schema, outcome, error }: TenantOutcome): void {
    if (outcome === 'in-sync' || this.#told.has(schema)) return;
    this.#told.add(schema);
    this.request.observe({ kind: 'tenant-finished', database, schema, outcome, failure: error });
  }
}

/** What a batch could not be ended for. */
interface Trouble {
  readonly error: unknown;
  readonly tasks: readonly Task[];
}

/**
 * Batches whose keeper was lost: their tenants are looked at anew, once the server is back. Gives why it is not: that ends this
 * database's part, and no other's.
 */
async function recover(troubles: readonly Trouble[], run: DatabaseRun): Promise<DatabaseApply['failure']> {
  const { crew, schedule, request } = run;
  for (const { error } of troubles) if (!(error instanceof DatabaseError || error instanceof TrueupError)) throw error;
  // After a cancellation nothing is opened again: what the batch left is for the report to say.
  if (request.control.state === 'cancelled' || request.control.state === 'abandoned') return null;
  for (const { error, tasks } of troubles)
    for (const task of tasks.filter(({ schema }) => schedule.has(schema)))
      settle(run, task, retried(task, anyFailure(error), by(request)));
  try {
    await crew.mend(() => request.control.running);
    return null;
  } catch (lost) {
    const isOurs = lost instanceof TrueupError || lost instanceof DatabaseError;
    if (!isOurs || !isConnectionTrouble(lost)) throw lost;
    // A run that was told to end did not wait for the server: what is left is left for that reason.
    return request.control.running ? lost : null;
  }
}

async function waitFor(ms: number, control: ApplyRequest['control']): Promise<void> {
  let wake = () => {};
  const changed = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const stopListening = control.onChange(() => wake());
  await Promise.race([sleep(ms), changed]);
  stopListening();
}
