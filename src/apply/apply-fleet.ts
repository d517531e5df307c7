import type { Database } from '../database/session.js';
import { failedDatabase } from '../plan/failed-database.js';
import type { FleetPlan, PlannedTenant } from '../plan/fleet-plan.js';
import { stagesOf } from './canaries.js';
import { DatabaseApply } from './database-apply.js';
import { keepDeadline } from './deadline.js';
import { failureLimit } from './failure-limit.js';
import type { FleetOutcome } from './fleet-outcome.js';
import { summariseOutcomes } from './outcome.js';
import { type ApplyRequest, tenantKey } from './request.js';
import { hasWork } from './work.js';

/**
 * Converges a fleet: in each database the changes that are made once, then its tenants in batches; several databases side
 * by side. Nothing of the given plan is executed as it stands: every batch is introspected and diffed anew under its
 * tenants' locks, and introspected again afterwards: a tenant has converged when that last diff is empty, and not before.
 * Both look at the tables that its changes are about, and at all others once anything is not as it was foreseen.
 * @param databases those that the plan is of
 * @throws {TrueupError} where nothing could be begun at all; what befalls one of several databases, or a tenant, is part
 * of the outcome
 */
export async function applyFleet(
  databases: Database | readonly Database[],
  plan: FleetPlan,
  request: ApplyRequest,
): Promise<FleetOutcome> {
  const { control, observe, progress } = request;
  const pending = plan.databases.flatMap(({ tenants }) => tenants.filter((tenant) => hasWork(tenant, request)));
  const failed = new Set<string>();
  const limit = failureLimit(request.maxFailures, pending.length);
  const onFailure = (tenant: { readonly database: string; readonly schema: string }) => {
    failed.add(tenantKey(tenant));
    if (failed.size >= limit) control.drain('max-failures');
  };
  const all = [databases].flat();
  const runs = plan.databases.map((target) => {
    const database = all.find(({ id }) => id === target.id);
    if (database === undefined) throw new Error(`internal: the plan has a database ${target.id} that is not given`);
    return new DatabaseApply(database, target, request, onFailure);
  });
  const stopWaiting = keepDeadline(request);
  const stopTelling = control.onChange(() => {
    if (control.state === 'draining') observe({ kind: 'draining', reason: control.reason ?? '' });
  });
  try {
    await everyOne(runs.map((run) => run.begin()));
    throwIfNone(runs);
    progress.phase('applying', pending.length);
    await converge(runs, stagesOf(pending, request.canary), request);
    const tenants = runs.flatMap((run) => run.end());
    return {
      planId: plan.planId,
      databases: plan.databases,
      databaseChanges: runs.flatMap((run) => run.databaseChanges),
      failedDatabases: [
        ...plan.failedDatabases,
        ...runs.flatMap(({ id, failure }) => (failure === null ? [] : [failedDatabase(id, failure)])),
      ],
      tenants,
      summary: summariseOutcomes(tenants),
      ended: control.reason,
      interrupted: control.reason === 'SIGINT' || control.reason === 'SIGTERM' ? control.reason : null,
    };
  } finally {
    stopTelling();
    stopWaiting();
    progress.done();
    for (const run of runs) await run.close();
  }
}

/** Stage by stage over all databases; a canary that did not converge ends the run before the next. */
async function converge(
  runs: readonly DatabaseApply[],
  stages: readonly (readonly PlannedTenant[])[],
  { control }: ApplyRequest,
): Promise<void> {
  for (const [at, stage] of stages.entries()) {
    await everyOne(
      runs.map((run) => run.converge(stage.flatMap(({ database, schema }) => (database === run.id ? [schema] : [])))),
    );
    // One that went away ends its own part only; with the last of them the run is over.
    if (runs.every((run) => run.isLost || run.failure !== null)) control.drain('connection');
    const troubled = stage.some(({ database, schema }) =>
      runs.some((run) => run.id === database && run.isTroubled(schema)),
    );
    if (at < stages.length - 1 && troubled) control.drain('canary');
    if (!control.running) return;
  }
}

/** Waits for all, whatever becomes of one: the others' sessions must not be closed under them. */
async function everyOne(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

/** A run that could begin nowhere is an error, not an outcome. */
function throwIfNone(runs: readonly DatabaseApply[]): void {
  const [first] = runs;
  if (first?.failure != null && runs.every(({ failure }) => failure !== null)) throw first.failure;
}
