import { setTimeout as sleep } from 'node:timers/promises';
import type { DesiredPhase } from '../desired-state/model.js';
import type { TenantChange } from '../diff/change.js';
import type { PlannedTenant } from '../plan/fleet-plan.js';
import { isTransactional } from '../plan/order.js';
import { assertStatement } from '../sql/guard.js';
import type { Crew, Worker } from './crew.js';
import { Explained, explained } from './explained.js';
import { anyFailure, isCancelled, isLost, isOvertaken, isPassing } from './failure.js';
import { describeHolder, findHolders, type Holder } from './holders.js';
import { oldSnapshots } from './old-snapshots.js';
import { runBackfill, runOnline } from './online-step.js';
import type { ChangeOutcome, TenantFailure } from './outcome.js';
import type { ApplyRequest } from './request.js';
import { backoff, type Lane } from './schedule.js';
import { type Statement, statementsOf } from './statements.js';
import { runTransaction } from './transaction-unit.js';

/** What was done of one tenant's changes in one turn, and how the turn ended. */
export interface TenantRun {
  readonly changes: readonly ChangeOutcome[];
  readonly end: TurnEnd;
}

/** How a tenant's turn ended. */
export type TurnEnd =
  | { readonly kind: 'done' }
  /** What comes next is long work, and this is the lane of short work. */
  | { readonly kind: 'long' }
  /** Nothing new is begun: the run drains, or others want the tenant's lock. */
  | { readonly kind: 'stopped' }
  /** Something of others is in the way: a build, an old snapshot. */
  | { readonly kind: 'waiting'; readonly failure: TenantFailure }
  /** It may go well the next time, by a new diff. */
  | { readonly kind: 'passing'; readonly failure: TenantFailure }
  | { readonly kind: 'failed'; readonly failure: TenantFailure };

/** What a tenant's turn needs beside the tenant. */
export interface TurnContext {
  readonly worker: Worker;
  readonly crew: Crew;
  readonly lane: Lane;
  readonly phases: readonly DesiredPhase[];
  readonly extensionSchemas: readonly string[];
  readonly request: Pick<ApplyRequest, 'limits' | 'control' | 'observe'>;
}

/**
 * Makes a tenant's pending changes, in order, as far as this turn goes. What fails stops this tenant's chain and no
 * other's; what was committed before it stays and is right by itself.
 */
export async function applyTenant(tenant: PlannedTenant, context: TurnContext): Promise<TenantRun> {
  const pending = tenant.changes.filter(({ change }) => change.status === 'pending');
  const { database, schema } = tenant;
  const done: ChangeOutcome[] = [];
  let end: TurnEnd = { kind: 'done' };
  let broken: ChangeOutcome['result'] = 'not-applied';
  try {
    for (const { change } of pending)
      for (const step of change.steps.flatMap((one) => [one, ...(one.undo ?? [])]))
        await assertStatement(step.sql, { schemas: context.extensionSchemas });
    for (const unit of units(pending)) {
      const reason = await holdBack(unit, schema, context);
      if (reason !== null) {
        end = reason;
        break;
      }
      if (!(await runUnit(unit, tenant, context))) {
        end = { kind: 'stopped' };
        break;
      }
      for (const item of unit) {
        done.push({ item, result: 'applied' });
        const { change } = item;
        context.request.observe({ kind: 'change-finished', database, schema, change, result: 'applied' });
      }
    }
  } catch (error) {
    end = endOf(error, context);
    // The server may have committed what it could no longer answer for.
    if (isLost(error)) broken = 'in-doubt';
  }
  const [current, ...later] = pending.slice(done.length);
  const failed = end.kind === 'failed' || end.kind === 'passing' ? broken : 'not-applied';
  return {
    changes: [
      ...done,
      ...(current === undefined ? [] : [{ item: current, result: failed }]),
      ...later.map((item) => ({ item, result: 'not-applied' as const })),
    ],
    end,
  };
}

/** Neighbours that fit into one transaction go together. */
function units(changes: readonly TenantChange[]): readonly (readonly TenantChange[])[] {
  const made: TenantChange[][] = [];
  for (const item of changes) {
    const last = made.at(-1);
    if (last !== undefined && isTransactional(item) && last.every(isTransactional)) last.push(item);
    else made.push([item]);
  }
  return made;
}

/** Builds on populated tables, validations and backfills: minutes or hours, where short work takes milliseconds. */
const isLong = ({ change }: TenantChange): boolean =>
  change.hazards.includes('TABLE_SCAN') ||
  change.steps.some((step) => step.mode === 'backfill' || (step.mode === 'online' && step.builds !== undefined));

/** Why a unit is not begun in this turn; null: it is. */
async function holdBack(unit: readonly TenantChange[], schema: string, context: TurnContext): Promise<TurnEnd | null> {
  const { control } = context.request;
  if (!control.running || context.crew.halted) return { kind: 'stopped' };
  if (!unit.some(isLong)) return null;
  if (context.lane === 'short') return { kind: 'long' };
  const builds = unit.some(({ change }) =>
    change.steps.some((step) => step.mode === 'online' && step.builds !== undefined),
  );
  if (!builds) return null;
  // A concurrent build waits for every snapshot that is older than itself, and others wait behind the build.
  if (context.worker.session.embedded) return null;
  const [oldest] = await heldUpBy(unit, schema, context);
  if (oldest === undefined) return null;
  return {
    kind: 'waiting',
    failure: {
      code: 'BUILD_HELD_UP',
      message: `an index is not built while an old transaction is open: ${describeHolder(oldest)}`,
      sqlstate: null,
      remedy: 'end that transaction, or wait for it, then run again',
    },
  };
}

/** Old snapshots, and old transactions that have written to the unit's tables: the build waits for their ends too. */
async function heldUpBy(
  unit: readonly TenantChange[],
  schema: string,
  { worker, crew, request }: TurnContext,
): Promise<readonly Holder[]> {
  const { yieldAfter } = request.limits;
  const snapshots = await oldSnapshots(worker.session, yieldAfter, crew.pids);
  if (snapshots.length > 0) return snapshots;
  const tables = [...new Set(unit.map(({ change }) => change.table))];
  const writers = await findHolders(worker.session, schema, tables, 'SHARE');
  return writers.filter(({ age }) => age !== null && age >= yieldAfter);
}

/** Makes one unit; false when it was to go on no longer half-way, with what was done left as it is. */
async function runUnit(unit: readonly TenantChange[], tenant: PlannedTenant, context: TurnContext): Promise<boolean> {
  const { worker, request } = context;
  const { limits, control } = request;
  const evidence = unit.flatMap(({ change, members }) =>
    change.assumptions.map((assumption) => ({ assumption, members: members ?? [] })),
  );
  let waiting: Statement[] = [];
  const flush = async () => {
    if (waiting.length === 0) return;
    const transaction = { statements: waiting, evidence };
    waiting = [];
    await runLocked(worker, tenant.schema, transaction, limits.lockTimeout);
  };
  for (const item of unit)
    for (const statement of statementsOf(item, tenant)) {
      if (statement.step.mode === 'transaction') {
        waiting.push(statement);
        continue;
      }
      await flush();
      if (statement.step.mode === 'backfill') {
        // A long one is stopped at a batch's end, once the run is not only drained.
        if (!(await runBackfill(worker, statement, () => control.state === 'running' || control.state === 'draining')))
          return false;
        continue;
      }
      const phase = context.phases.find((candidate) => candidate.name === item.change.phase);
      const settings = statement.builds === null ? {} : (phase?.buildSettings ?? {});
      const object = statement.builds ?? item.change.object;
      try {
        await runOnline(worker, tenant.schema, statement, object, { buildTimeout: limits.buildTimeout, settings });
      } catch (error) {
        const failed = { statements: [statement], evidence: [] };
        const told = await explained(error, worker.session, tenant.schema, failed);
        await takeBack(statement.undo, tenant, context);
        throw told;
      }
    }
  await flush();
  return true;
}

/** A transaction whose failure is explained. */
async function runLocked(
  worker: Worker,
  schema: string,
  unit: Parameters<typeof runTransaction>[2],
  budget: number,
): Promise<void> {
  try {
    await runTransaction(worker.session, schema, unit, budget);
  } catch (error) {
    throw await explained(error, worker.session, schema, unit);
  }
}

/** What existing rows failed must not go on to refuse the application's next ones. */
async function takeBack(
  statements: readonly Statement[],
  tenant: PlannedTenant,
  { worker, request }: TurnContext,
): Promise<void> {
  if (statements.length === 0) return;
  for (let attempt = 1; attempt <= request.limits.attempts; attempt += 1) {
    try {
      await runTransaction(worker.session, tenant.schema, { statements, evidence: [] }, request.limits.lockTimeout);
      return;
    } catch (error) {
      // The first error says why; the next plan shows what is left.
      if (!isPassing(error)) return;
      await sleep(backoff(attempt));
    }
  }
}

function endOf(error: unknown, { worker, request }: TurnContext): TurnEnd {
  const cause = error instanceof Explained ? error.error : error;
  const bare = anyFailure(cause);
  const failure = error instanceof Explained ? { ...bare, message: `${bare.message}; ${error.note}` } : bare;
  if (isCancelled(cause) && worker.yielded !== null) {
    const { pid, waited } = worker.yielded;
    worker.yielded = null;
    const message = `the build gave way to process ${pid}, which had waited behind it for ${(waited / 1000).toFixed(1)} s`;
    const remedy = 'run again when the application does less to the table, or allow it longer with --yield-after';
    return { kind: 'passing', failure: { code: 'BUILD_YIELDED', message, sqlstate: null, remedy } };
  }
  if (isCancelled(cause) && !request.control.running) return { kind: 'stopped' };
  if (isPassing(cause) || isOvertaken(cause) || isLost(cause)) return { kind: 'passing', failure };
  return { kind: 'failed', failure };
}
