import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, DatabaseError } from '../database/session.js';
import type { DatabasePlan, FleetPlan, PlannedTenant } from '../plan/fleet-plan.js';
import { TrueupError } from '../trueup-error.js';
import { by, type DatabaseRun, runBatch, settle } from './batch.js';
import { canaries } from './canaries.js';
import { Crew, isConnectionTrouble } from './crew.js';
import { applyDatabaseChanges } from './database-changes.js';
import { keepDeadline } from './deadline.js';
import { retried } from './decision.js';
import { anyFailure } from './failure.js';
import type { FleetOutcome } from './fleet-outcome.js';
import { Ledger, unreadableOutcome } from './ledger.js';
import { summariseOutcomes, type TenantOutcome } from './outcome.js';
import type { ApplyRequest, MaxFailures } from './request.js';
import { Schedule, type Task } from './schedule.js';

/**
 * Converges a fleet: database changes once, then its tenants in batches. Nothing of the given plan is executed as it
 * stands: every batch is introspected and diffed anew under its tenants' locks, and introspected again afterwards: a
 * tenant has converged when that last diff is empty, and not before.
 * @throws {TrueupError} where nothing could be begun; what befalls a tenant is part of the outcome
 */
export async function applyFleet(database: Database, plan: FleetPlan, request: ApplyRequest): Promise<FleetOutcome> {
  const [target] = plan.databases;
  if (target === undefined) throw new Error('internal: a plan without a database');
  const stopWaiting = keepDeadline(request);
  try {
    const { databaseChanges, tenants } = await applyDatabase(database, target, request);
    const { reason } = request.control;
    return {
      planId: plan.planId,
      databases: plan.databases,
      databaseChanges,
      tenants,
      summary: summariseOutcomes(tenants),
      ended: reason,
      interrupted: reason === 'SIGINT' || reason === 'SIGTERM' ? reason : null,
    };
  } finally {
    stopWaiting();
    request.progress.done();
  }
}

async function applyDatabase(
  database: Database,
  target: DatabasePlan,
  request: ApplyRequest,
): Promise<Pick<FleetOutcome, 'databaseChanges' | 'tenants'>> {
  const { observe, control } = request;
  const pending = target.tenants.filter((tenant) => tenant.changes.some(({ change }) => change.status === 'pending'));
  const ledger = new Ledger();
  const told = new Set<string>();
  const byName = new Map(pending.map((tenant) => [tenant.schema, tenant]));
  const isNew = (schema: string) => byName.get(schema)?.isNew ?? false;
  const ended = (schema: string) => {
    const tenant = byName.get(schema);
    if (tenant !== undefined) tell(ledger.outcome(tenant), request);
    told.add(schema);
    request.progress.advance();
  };
  observe({ kind: 'run-started', database: target.id, tenants: target.tenants.length, pending: pending.length });
  let databaseChanges: FleetOutcome['databaseChanges'] = target.databaseChanges.map((change) => ({
    change,
    result: 'not-applied',
  }));
  if (control.running && (pending.length > 0 || databaseChanges.length > 0)) {
    const crew = await Crew.open(database, request.concurrency, pending.length, request.limits.lockWait);
    try {
      databaseChanges = await applyDatabaseChanges(crew.keeper, target);
      request.progress.phase('applying', pending.length);
      await convergeAll({ database, crew, ledger, request, ended, isNew }, pending);
    } finally {
      await crew.close();
    }
  }
  const tenants = [
    ...target.tenants.map((tenant) => ledger.outcome(tenant)),
    ...target.unreadable.map(unreadableOutcome),
  ];
  for (const tenant of tenants) if (!told.has(tenant.schema)) tell(tenant, request);
  observe({ kind: 'run-finished', database: target.id, outcomes: { ...summariseOutcomes(tenants) } });
  return { databaseChanges, tenants };
}

/** Batch by batch, until no tenant is left or the run is to end. */
async function convergeAll(
  of: Omit<DatabaseRun, 'schedule' | 'failed'>,
  pending: readonly PlannedTenant[],
): Promise<void> {
  const { database, crew, ledger, request } = of;
  const { control, observe } = request;
  const stages = canaries(pending, request.canary);
  const schedule = new Schedule(stages);
  const failed = new Set<string>();
  const limit = failureLimit(request.maxFailures, pending.length);
  const run: DatabaseRun = {
    ...of,
    schedule,
    failed: (schema) => {
      failed.add(schema);
      if (failed.size >= limit) control.drain('max-failures');
    },
  };
  const stopTelling = control.onChange(() => {
    if (control.state === 'draining') observe({ kind: 'draining', reason: control.reason ?? '' });
  });
  try {
    while (control.running) {
      const before = stages.slice(0, schedule.stage);
      if (schedule.stage < stages.length && before.flat().some((schema) => ledger.isTroubled(schema))) {
        control.drain('canary');
        break;
      }
      const turn = schedule.next(Date.now());
      if (turn.kind === 'done') break;
      if (turn.kind === 'wait') {
        await waitFor(turn.ms, control);
        continue;
      }
      observe({ kind: 'batch-started', database: database.id, tenants: turn.tasks.length });
      try {
        await runBatch(run, turn.lane, turn.tasks);
        await crew.mend();
      } catch (error) {
        await afterTrouble(error, turn.tasks, run);
      }
    }
  } finally {
    stopTelling();
  }
}

/** A batch whose keeper was lost: its tenants are looked at anew, once the server is back. */
async function afterTrouble(error: unknown, tasks: readonly Task[], run: DatabaseRun): Promise<void> {
  const { crew, schedule, request } = run;
  if (!(error instanceof DatabaseError || error instanceof TrueupError)) throw error;
  // After a cancellation nothing is opened again: what the batch left is for the report to say.
  if (request.control.state === 'cancelled' || request.control.state === 'abandoned') return;
  const left = new Set(schedule.left);
  for (const task of tasks.filter(({ schema }) => left.has(schema)))
    settle(run, task, retried(task, anyFailure(error), by(request)));
  try {
    await crew.mend();
  } catch (lost) {
    if (!isConnectionTrouble(lost)) throw lost;
    request.control.drain('connection');
  }
}

const failureLimit = (limit: MaxFailures | null, pending: number): number => {
  if (limit === null) return Number.POSITIVE_INFINITY;
  return 'tenants' in limit ? limit.tenants : Math.max(1, Math.ceil((limit.percent / 100) * pending));
};

async function waitFor(ms: number, control: ApplyRequest['control']): Promise<void> {
  let wake = () => {};
  const changed = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const stopListening = control.onChange(() => wake());
  await Promise.race([sleep(ms), changed]);
  stopListening();
}

const tell = ({ database, schema, outcome, error }: TenantOutcome, { observe }: ApplyRequest): void =>
  outcome === 'in-sync' ? undefined : observe({ kind: 'tenant-finished', database, schema, outcome, failure: error });
