import type { DatabaseMemory } from '../catalog/database-memory.js';
import type { Database } from '../database/session.js';
import { isPending } from '../diff/change.js';
import type { PlannedTenant } from '../plan/fleet-plan.js';
import { applyTenant } from './apply-tenant.js';
import { approvalFailure, lossFailure } from './approval.js';
import type { Crew, Worker } from './crew.js';
import { type Circumstances, type Decision, decide, lockedOut, waiting } from './decision.js';
import { anyFailure } from './failure.js';
import { IN_LINE } from './gate.js';
import { type Expectation, expecting, introspect, standingOf } from './introspect.js';
import type { Ledger } from './ledger.js';
import { type TableOrder, tableOrder } from './lock-order.js';
import { tryLocks } from './locks.js';
import type { ApplyRequest } from './request.js';
import type { Lane, Schedule, Task } from './schedule.js';
import type { TenantRun, TurnContext } from './turn.js';

/** One database's run: what its batches share. */
export interface DatabaseRun {
  readonly database: Database;
  readonly crew: Crew;
  readonly request: ApplyRequest;
  readonly schedule: Schedule;
  readonly ledger: Ledger;
  /** Schemas that statements may name beside the tenant's. */
  readonly allowedSchemas: readonly string[];
  /** Nothing that the plan went by was made in the database since: it says what an absent schema needs. */
  readonly isUnchanged: boolean;
  /** What the run has learnt of the database. */
  readonly memory: () => DatabaseMemory;
  /** A tenant as it was when the run's plan was made. */
  readonly planned: (schema: string) => PlannedTenant | null;
  /** Whether the plan was to make the tenant: any other that is not there has been dropped, and is not made again. */
  readonly isNew: (schema: string) => boolean;
  /** Is called when a tenant has failed for good, at once. */
  readonly failed: (schema: string) => void;
  /** Is called when a tenant has had its last turn. */
  readonly ended: (schema: string) => void;
}

/**
 * One batch: its tenants' locks, one introspection, their turns in parallel, one introspection that shows what came of
 * it. Each of its tasks is settled: ended, or put back into the schedule.
 * @throws {DatabaseError} when the keeper is lost: tasks that are not settled then are still in the schedule
 */
export async function runBatch(run: DatabaseRun, lane: Lane, tasks: readonly Task[]): Promise<void> {
  const { crew, request, ledger } = run;
  const { locks, fresh, todo, order } = await begin(run, tasks);
  try {
    const turns = await changeAll(run, { lane, tenants: todo, order });
    const after = todo.flatMap((tenant) => afterwards(tenant, turns.get(tenant.schema)));
    const verified = await crew.read((session) => introspect(run, session, after, { presumes: false }));
    for (const task of tasks.filter(({ schema }) => locks.schemas.has(schema))) {
      const standing = standingOf(task.schema, turns.has(task.schema) ? verified : fresh);
      ledger.stands(task.schema, standing);
      const stale = ledger.isStale(task.schema);
      const turn = turns.get(task.schema) ?? null;
      settle(run, task, stale ? { kind: 'end', left: null } : decide(task, turn, standing, by(request)));
    }
  } finally {
    await crew.keep(() => locks.release());
  }
}

/** What a batch's changes are begun with. Settles the tasks of which not every lock was had. */
async function begin(run: DatabaseRun, tasks: readonly Task[]) {
  const { database, request, crew } = run;
  const schemas = tasks.map(({ schema }) => schema);
  const locks = await crew.keep((keeper) =>
    tryLocks(keeper, database.target.database, request.desired, schemas, run.memory().checked),
  );
  try {
    for (const task of tasks)
      if (!locks.schemas.has(task.schema))
        settle(run, task, waiting(task, lockedOut(task.schema, locks.holders.get(task.schema)), by(request)));
    const held = schemas.filter((schema) => locks.schemas.has(schema));
    const expected = held.map((schema) => foreseen(run, schema));
    // Else a tenant whose evidence has gone stale would be taken for what it was, time and again.
    const presumes = tasks.every(({ turns }) => turns === 0);
    return await crew.read(async (session) => {
      const fresh = await introspect(run, session, expected, { presumes });
      const todo = held.flatMap((schema) => approved(run, fresh.tenants.get(schema)));
      return { locks, fresh, todo, order: await tableOrder(session, todo) };
    });
  } catch (error) {
    await crew.keep(() => locks.release());
    throw error;
  }
}

/** Ends a task, or puts it back. */
export function settle(run: DatabaseRun, task: Task, decision: Decision): void {
  const { schema } = task;
  const { schedule, ledger, request, database } = run;
  if (decision.kind === 'end') {
    if (decision.left !== null) ledger.leave(schema, decision.left);
    if (decision.left?.kind === 'failed') run.failed(schema);
    schedule.end(schema);
    run.ended(schema);
    return;
  }
  schedule.again(decision.task);
  if (decision.kind === 'retry') {
    const delay = Math.max(0, decision.task.due - Date.now());
    request.observe({ kind: 'retry', database: database.id, schema, failure: decision.failure, delay });
  }
  // Said once, not at every look.
  if (decision.kind === 'wait' && task.waitingSince === null)
    request.observe({ kind: 'tenant-waiting', database: database.id, schema, message: decision.failure.message });
}

/** What a decision of this moment goes by. */
export const by = ({ limits }: ApplyRequest): Circumstances => ({ now: Date.now(), limits, random: Math.random });

/** What is known of a tenant before its batch: what this run found last, else what the plan was made of. */
function foreseen({ request, ledger, planned, isUnchanged }: DatabaseRun, schema: string): Expectation {
  const last = ledger.lastSeen(schema);
  const known = last ?? planned(schema);
  if (known === null) return { kind: 'unknown', schema };
  if (known.isNew)
    return last === null && isUnchanged ? { kind: 'absent', schema, planned: known } : { kind: 'unknown', schema };
  // A fingerprint is one of the whole tenant.
  const byFingerprint = request.approved !== null && !ledger.begun(schema);
  return byFingerprint ? { kind: 'unknown', schema } : expecting(known);
}

/** What a turn should have left of a tenant's changes; nothing for a tenant that had no turn. */
function afterwards(tenant: PlannedTenant, turn: TenantRun | undefined): readonly Expectation[] {
  if (turn === undefined) return [];
  const { schema, changes, isNew } = tenant;
  if (isNew) return [{ kind: 'made', schema }];
  const done = new Set(turn.changes.flatMap(({ item, result }) => (result === 'applied' ? [item] : [])));
  const left = changes.filter((item) => !done.has(item));
  return [expecting(tenant, left)];
}

/**
 * A tenant with pending changes that may be made; one that differs from its approval, or lost a table, is left alone from
 * here on.
 */
function approved(run: DatabaseRun, tenant: PlannedTenant | undefined): readonly PlannedTenant[] {
  const { request, ledger } = run;
  if (tenant === undefined) return [];
  const lost = lossFailure(tenant, run.planned(tenant.schema));
  if (lost === null && !tenant.changes.some(isPending)) return [];
  const failure = lost ?? approvalFailure(tenant, request.approved, ledger.begun(tenant.schema));
  if (failure === null) return [tenant];
  ledger.leave(tenant.schema, { kind: 'stale', failure });
  return [];
}

/** What of a batch is to be changed. */
interface BatchWork {
  readonly lane: Lane;
  readonly tenants: readonly PlannedTenant[];
  readonly order: TableOrder;
}

/** The tenants' turns, as many at once as there are workers; of long work as many as index builds are allowed. */
async function changeAll(
  run: DatabaseRun,
  { lane, tenants, order }: BatchWork,
): Promise<ReadonlyMap<string, TenantRun>> {
  const { crew, request, ledger, allowedSchemas } = run;
  const turns = new Map<string, TenantRun>();
  if (tenants.length === 0) return turns;
  const queue = [...tenants];
  const atOnce = lane === 'long' ? Math.min(request.indexBuilds, crew.workers.length) : crew.workers.length;
  const changeSome = async (worker: Worker, atLeast: number): Promise<void> => {
    while (request.control.running && !crew.halted && !worker.session.broken && queue.length >= atLeast) {
      const tenant = queue.shift();
      if (tenant === undefined) return;
      if (ledger.start(tenant.schema)) observeStart(tenant, run);
      const { phases } = tenant;
      const turn = await turnOf(tenant, { worker, crew, lane, phases, allowedSchemas, order, request });
      turns.set(tenant.schema, turn);
      ledger.record(tenant.schema, turn);
      if (turn.end.kind === 'failed') run.failed(tenant.schema);
    }
  };
  const changeInLine = async (worker: Worker): Promise<void> => {
    const inLine = lane === 'long' || worker.session.embedded ? 1 : IN_LINE;
    // Else the server would wait after each tenant for this process to make the next one's statements. None stands in line
    // behind another where a worker may have nothing to do.
    const ends = await Promise.allSettled(
      Array.from({ length: inLine }, (_, place) => changeSome(worker, place * atOnce)),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  };
  // Each is kept until the batch is through: the next one begins with the first worker that this one has no tenant for.
  await Promise.all(Array.from({ length: atOnce }, () => crew.withWorker(changeInLine)));
  return turns;
}

function observeStart({ schema, changes }: PlannedTenant, { request, database }: DatabaseRun): void {
  const pending = changes.filter(isPending).length;
  request.observe({ kind: 'tenant-started', database: database.id, schema, changes: pending });
}

async function turnOf(tenant: PlannedTenant, context: TurnContext): Promise<TenantRun> {
  try {
    return await applyTenant(tenant, context);
  } catch (error) {
    // What is no error of this tenant's still must not end the others'.
    return { changes: [], begun: false, end: { kind: 'failed', failure: anyFailure(error) } };
  }
}
