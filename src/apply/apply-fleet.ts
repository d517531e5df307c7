import { setTimeout as sleep } from 'node:timers/promises';
import { chunk } from '../collections.js';
import { type Database, DatabaseError, type Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import type { Change } from '../diff/change.js';
import { changeKey } from '../plan/drift-classes.js';
import { type DatabasePlan, type FleetPlan, isInSync, type PlannedTenant } from '../plan/fleet-plan.js';
import { type PlanRequest, planDatabase } from '../plan/plan-database.js';
import { assertStatement } from '../sql/guard.js';
import { renderSql } from '../sql/template.js';
import { TrueupError } from '../trueup-error.js';
import { type ApplyLimits, applyTenant, failureOf, type TenantRun } from './apply-tenant.js';
import type { FleetOutcome } from './fleet-outcome.js';
import {
  type ChangeOutcome,
  type Outcome,
  summariseOutcomes,
  type TenantFailure,
  type TenantOutcome,
} from './outcome.js';
import { releaseTenantLocks, tryTenantLocks } from './tenant-lock.js';

/** What an apply is asked for. */
export interface ApplyRequest extends PlanRequest {
  /** Tenants worked on at once. */
  readonly concurrency: number;
  readonly limits: ApplyLimits;
}

/** Tenants that are introspected, changed and verified together: two introspections a batch, none a tenant. */
const BATCH = 100;
/** Rounds that a tenant gets when its evidence went stale or another applier was quicker. */
const ROUNDS = 3;
/** How long another applier's tenant is waited for, in milliseconds. */
const LOCK_WAIT = 30_000;

interface Attempt {
  readonly applied: readonly ChangeOutcome[];
  readonly failure: TenantFailure | null;
}

/**
 * Converges a fleet: database changes once, then its tenants in batches. Nothing of the given plan is executed as it
 * stands: every batch is introspected and diffed anew under its tenants' locks, and introspected again afterwards: a
 * tenant has converged when that last diff is empty, and not before.
 */
export async function applyFleet(database: Database, plan: FleetPlan, request: ApplyRequest): Promise<FleetOutcome> {
  const [target] = plan.databases;
  if (target === undefined) throw new Error('internal: a plan without a database');
  const keeper = await database.connect();
  const workers: Session[] = [];
  try {
    const databaseChanges = await applyDatabaseChanges(keeper, target);
    const pending = target.tenants.filter((tenant) => tenant.changes.some(({ change }) => change.status === 'pending'));
    // The keeper works as well: never more connections than stated, and one is enough for the embedded PostgreSQL.
    const beside = Math.min(request.concurrency, database.maxSessions, pending.length) - 1;
    for (let at = 0; at < beside; at += 1) workers.push(await database.connect());
    const engine: Engine = { database, keeper, workers: [keeper, ...workers], request };
    request.progress.phase('applying', pending.length);
    const attempts = new Map<string, Attempt>();
    const after = new Map<string, DatabasePlan>();
    for (const batch of chunk(pending, BATCH)) await converge(batch, engine, attempts, after);
    const tenants = outcomes(target, attempts, after);
    return {
      planId: plan.planId,
      databases: plan.databases,
      databaseChanges,
      tenants,
      summary: summariseOutcomes(tenants),
      interrupted: null,
    };
  } finally {
    request.progress.done();
    for (const session of [...workers, keeper]) await session.close();
  }
}

interface Engine {
  readonly database: Database;
  /** Holds the tenants' locks, introspects and verifies. */
  readonly keeper: Session;
  readonly workers: readonly Session[];
  readonly request: ApplyRequest;
}

async function applyDatabaseChanges(session: Session, target: DatabasePlan): Promise<FleetOutcome['databaseChanges']> {
  const made: { change: Change; result: 'applied' | 'not-applied' }[] = [];
  for (const change of target.databaseChanges) {
    if (change.status !== 'pending') {
      made.push({ change, result: 'not-applied' });
      continue;
    }
    for (const step of change.steps) {
      await assertStatement(step.sql, { schemas: target.extensionSchemas });
      try {
        await inTransaction(session, 'read write', () => session.query(renderSql(step.sql, {})));
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        // Two runs at once: the other one's CREATE EXTENSION was quicker.
        if (error.code === '23505') continue;
        const sql = renderSql(step.sql, {});
        throw new TrueupError(error.code === '42501' ? 'PRIVILEGE' : 'TENANT_FAILED', `${sql}: ${error.message}`, {
          where: `database ${target.id}`,
          remedy: `run as an administrator: ${sql}; then run again`,
          cause: error,
        });
      }
    }
    made.push({ change, result: 'applied' });
  }
  return made;
}

/** Rounds of: lock, introspect, change; then one introspection that shows what came of it. */
async function converge(
  batch: readonly PlannedTenant[],
  engine: Engine,
  attempts: Map<string, Attempt>,
  after: Map<string, DatabasePlan>,
): Promise<void> {
  let waiting = batch.map((tenant) => tenant.schema);
  const until = Date.now() + LOCK_WAIT;
  for (let round = 1; round <= ROUNDS && waiting.length > 0; ) {
    const had = await tryTenantLocks(engine.keeper, engine.database.target.database, waiting);
    const turn = waiting.filter((schema) => had.has(schema));
    const left = waiting.filter((schema) => !had.has(schema));
    try {
      const again = turn.length === 0 ? [] : await applyRound(turn, engine, attempts, after);
      if (turn.length > 0) round += 1;
      waiting = [...again, ...left];
    } finally {
      await releaseTenantLocks(engine.keeper, engine.database.target.database, had);
    }
    if (left.length === 0) continue;
    if (Date.now() > until) {
      for (const schema of left) attempts.set(schema, lockedOut(schema));
      return;
    }
    await sleep(50 + Math.random() * 200);
  }
}

/** Gives the tenants that deserve another round: their evidence went stale, or something appeared meanwhile. */
async function applyRound(
  schemas: readonly string[],
  engine: Engine,
  attempts: Map<string, Attempt>,
  after: Map<string, DatabasePlan>,
): Promise<readonly string[]> {
  const fresh = await planned(schemas, engine);
  const todo = fresh.tenants.filter((tenant) => tenant.changes.some(({ change }) => change.status === 'pending'));
  const queue = [...todo];
  const runs = new Map<string, TenantRun>();
  await Promise.all(
    engine.workers.map(async (session) => {
      for (let tenant = queue.shift(); tenant !== undefined; tenant = queue.shift()) {
        runs.set(tenant.schema, await guarded(session, tenant, fresh, engine));
        engine.request.progress.advance();
      }
    }),
  );
  const verified = todo.length === 0 ? fresh : await planned(schemas, engine);
  const again: string[] = [];
  for (const schema of schemas) {
    const run = runs.get(schema);
    // Of earlier rounds only what was done: what was not is done in this one, or listed by it.
    const before = (attempts.get(schema)?.applied ?? []).filter((change) => change.result === 'applied');
    const applied = run?.changes.filter((change) => change.result === 'applied') ?? [];
    const still = verified.tenants.find((tenant) => tenant.schema === schema);
    const open = still?.changes.some(({ change }) => change.status === 'pending') ?? false;
    after.set(schema, verified);
    const rest = open ? (run?.changes.filter((change) => change.result !== 'applied') ?? []) : [];
    attempts.set(schema, {
      applied: [...before, ...applied, ...rest],
      failure: open ? (run?.failure ?? notConverged(schema)) : null,
    });
    if (open && mayTryAgain(run, still)) again.push(schema);
  }
  return again;
}

/** An error that is no error of this tenant's still must not end the others'. */
async function guarded(
  session: Session,
  tenant: PlannedTenant,
  fresh: DatabasePlan,
  engine: Engine,
): Promise<TenantRun> {
  try {
    const { limits } = engine.request;
    return await applyTenant(tenant, {
      session,
      phases: tenant.phases,
      extensionSchemas: fresh.extensionSchemas,
      limits,
    });
  } catch (error) {
    if (error instanceof Error && !(error instanceof TrueupError || error instanceof DatabaseError)) {
      const failure = {
        code: 'INTERNAL',
        message: error.message,
        sqlstate: null,
        remedy: 'report this as a bug',
      } as const;
      return { changes: [], failure };
    }
    return { changes: [], failure: failureOf(error) };
  }
}

function planned(schemas: readonly string[], engine: Engine): Promise<DatabasePlan> {
  const selection = { schemas, exclude: [], allowEmpty: true, allowAbsent: true };
  const progress = { phase() {}, advance() {}, done() {} };
  return planDatabase(engine.database, engine.keeper, { ...engine.request, selection, progress });
}

/** Someone was quicker, or rows came: the next diff goes by what is there. Anything else would fail again. */
function mayTryAgain(run: TenantRun | undefined, still: PlannedTenant | undefined): boolean {
  if (run === undefined) return true;
  if (run.failure === null) {
    // What was done and is asked for again does not converge: another round would build it once more for nothing.
    const done = new Set(run.changes.map(({ item }) => changeKey(item.change)));
    return still?.changes.every(({ change }) => change.status !== 'pending' || !done.has(changeKey(change))) ?? false;
  }
  const { code, sqlstate } = run.failure;
  return (
    code === 'STALE_EVIDENCE' ||
    ['42P07', '42710', '42701', '42704', '42703', '42P01', '42P06'].includes(sqlstate ?? '')
  );
}

function outcomes(
  target: DatabasePlan,
  attempts: ReadonlyMap<string, Attempt>,
  after: ReadonlyMap<string, DatabasePlan>,
): readonly TenantOutcome[] {
  const ended = target.tenants.map((tenant): TenantOutcome => {
    const { database, schema } = tenant;
    const attempt = attempts.get(schema);
    const last = after.get(schema);
    const now = last === undefined ? tenant : last.tenants.find((one) => one.schema === schema);
    const unreadable = last?.unreadable.find((one) => one.schema === schema);
    const failure = attempt?.failure ?? (unreadable === undefined ? null : unreadableFailure(unreadable.message));
    const changes = attempt?.applied ?? [];
    const refused = (now?.changes ?? [])
      .filter(({ change }) => change.status !== 'pending')
      .map((item) => ({ item, result: 'not-applied' as const }));
    return {
      database,
      schema,
      outcome: outcomeOf(tenant, now, changes, failure),
      changes: [...changes, ...refused],
      error: failure,
    };
  });
  const unreadable = target.unreadable.map(
    ({ database, schema, message }): TenantOutcome => ({
      database,
      schema,
      outcome: 'failed',
      changes: [],
      error: unreadableFailure(message),
    }),
  );
  return [...ended, ...unreadable];
}

function outcomeOf(
  planned: PlannedTenant,
  now: PlannedTenant | undefined,
  changes: readonly ChangeOutcome[],
  failure: TenantFailure | null,
): Outcome {
  if (now === undefined || (now.isNew && !planned.isNew)) return 'vanished';
  if (failure !== null) return 'failed';
  const applied = changes.some((change) => change.result === 'applied');
  const having = (status: string) => now.changes.some(({ change }) => change.status === status);
  if (having('blocked')) return applied ? 'partial' : 'blocked';
  if (!isInSync(now)) return 'not-attempted';
  if (applied) return 'converged';
  return having('deferred') ? 'deferred' : 'in-sync';
}

const unreadableFailure = (message: string): TenantFailure => ({
  code: 'TENANT_UNREADABLE',
  message,
  sqlstate: null,
  remedy: 'let the role read the tenant’s tables (row security included), then run again',
});

const notConverged = (schema: string): TenantFailure => ({
  code: 'NOT_CONVERGED',
  message: `after its changes schema "${schema}" still differs from the desired state`,
  sqlstate: null,
  remedy: 'trueup plan shows what is left; if it stays the same after another apply, report it as a bug',
});

const lockedOut = (schema: string): Attempt => ({
  applied: [],
  failure: {
    code: 'TENANT_LOCKED',
    message: `another run of trueup is working on schema "${schema}"`,
    sqlstate: null,
    remedy: 'wait for it, then run again',
  },
});
