import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, type Session } from '../database/session.js';
import type { DesiredPhase } from '../desired-state/model.js';
import type { TenantChange } from '../diff/change.js';
import type { PlannedTenant } from '../plan/fleet-plan.js';
import { isTransactional } from '../plan/order.js';
import { assertStatement } from '../sql/guard.js';
import { TrueupError } from '../trueup-error.js';
import { runBackfill, runOnline } from './online-step.js';
import type { ChangeOutcome, TenantFailure } from './outcome.js';
import { type Statement, statementsOf } from './statements.js';
import { runTransaction } from './transaction-unit.js';

/** How long things may take, in milliseconds, and how often a lock is tried for. */
export interface ApplyLimits {
  /** Budget for the locks of one transaction; below deadlock_timeout. */
  readonly lockTimeout: number;
  /** Bound of one concurrent build or validation. */
  readonly buildTimeout: number;
  /** How often a transaction that did not get its locks, or lost a deadlock, is tried. */
  readonly attempts: number;
}

export const DEFAULT_LIMITS: ApplyLimits = { lockTimeout: 500, buildTimeout: 24 * 60 * 60 * 1000, attempts: 6 };

/** What was done, and what stopped it. */
export interface TenantRun {
  readonly changes: readonly ChangeOutcome[];
  readonly failure: TenantFailure | null;
}

interface Context {
  readonly session: Session;
  readonly phases: readonly DesiredPhase[];
  readonly extensionSchemas: readonly string[];
  readonly limits: ApplyLimits;
}

/**
 * Makes a tenant's pending changes, in order. What fails stops this tenant's chain and no other's; what was committed
 * before it stays and is right by itself.
 */
export async function applyTenant(tenant: PlannedTenant, context: Context): Promise<TenantRun> {
  const pending = tenant.changes.filter(({ change }) => change.status === 'pending');
  const done: ChangeOutcome[] = [];
  try {
    for (const { change } of pending)
      for (const step of change.steps.flatMap((one) => [one, ...(one.undo ?? [])]))
        await assertStatement(step.sql, { schemas: context.extensionSchemas });
    for (const unit of units(pending)) {
      await runUnit(unit, tenant, context);
      done.push(...unit.map((item) => ({ item, result: 'applied' as const })));
    }
    return { changes: done, failure: null };
  } catch (error) {
    const failure = failureOf(error);
    const lost = error instanceof DatabaseError && error.code.startsWith('08');
    const rest = pending.slice(done.length);
    const [current, ...later] = rest;
    return {
      changes: [
        ...done,
        ...(current === undefined
          ? []
          : [{ item: current, result: lost ? ('in-doubt' as const) : ('not-applied' as const) }]),
        ...later.map((item) => ({ item, result: 'not-applied' as const })),
      ],
      failure,
    };
  }
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

async function runUnit(unit: readonly TenantChange[], tenant: PlannedTenant, context: Context): Promise<void> {
  const { session, limits } = context;
  const evidence = unit.flatMap(({ change, members }) =>
    change.assumptions.map((assumption) => ({ assumption, members: members ?? [] })),
  );
  let waiting: Statement[] = [];
  const flush = async () => {
    if (waiting.length === 0) return;
    const transaction = { statements: waiting, evidence };
    waiting = [];
    await withRetries(() => runTransaction(session, tenant.schema, transaction, limits.lockTimeout), limits);
  };
  for (const item of unit)
    for (const statement of statementsOf(item, tenant)) {
      if (statement.step.mode === 'transaction') {
        waiting.push(statement);
        continue;
      }
      await flush();
      const phase = context.phases.find((candidate) => candidate.name === item.change.phase);
      if (statement.step.mode === 'backfill') await runBackfill(session, statement);
      else {
        const settings = statement.builds === null ? {} : (phase?.buildSettings ?? {});
        try {
          await runOnline(session, tenant.schema, statement, { buildTimeout: limits.buildTimeout, settings });
        } catch (error) {
          await takeBack(statement.undo, tenant, context);
          throw error;
        }
      }
    }
  await flush();
}

/** What existing rows failed must not go on to refuse the application's next ones. */
async function takeBack(statements: readonly Statement[], tenant: PlannedTenant, context: Context): Promise<void> {
  if (statements.length === 0) return;
  const { session, limits } = context;
  try {
    await withRetries(
      () => runTransaction(session, tenant.schema, { statements, evidence: [] }, limits.lockTimeout),
      limits,
    );
  } catch {
    // The first error says why; the next plan shows what is left.
  }
}

/** Locks not had, deadlocks lost, serialisation failures: passing, so tried again, with jitter. */
async function withRetries(run: () => Promise<void>, limits: ApplyLimits): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      const passing = error instanceof DatabaseError && ['55P03', '40P01', '40001'].includes(error.code);
      if (!passing || attempt >= limits.attempts) throw error;
      await sleep(Math.min(5000, 100 * 2 ** attempt) * (0.5 + Math.random()));
    }
  }
}

/** An error as a tenant's outcome says it. */
export function failureOf(error: unknown): TenantFailure {
  if (error instanceof TrueupError)
    return { code: error.code, message: error.message, sqlstate: null, remedy: error.options.remedy ?? null };
  if (error instanceof DatabaseError) {
    const detail = error.details.detail === undefined ? '' : ` (${withoutValues(error.code, error.details.detail)})`;
    return {
      code: 'TENANT_FAILED',
      message: `${error.message}${detail}`,
      sqlstate: error.code,
      remedy: REMEDIES[error.code] ?? error.details.hint ?? null,
    };
  }
  throw error;
}

/** Details of violated constraints quote rows, and rows hold customers' names. */
const withoutValues = (sqlstate: string, detail: string): string =>
  sqlstate.startsWith('23')
    ? detail.replace(/=\([\s\S]*\)/u, '=(…)').replace(/(row contains) \([\s\S]*\)/u, '$1 (…)')
    : detail;

const REMEDIES: Readonly<Record<string, string>> = {
  '42501': 'run as a role that owns the tenant’s tables, or name one with --role',
  '55P03': 'a lock was not had in time: run again, or end the transaction that holds it',
  '23505': 'existing rows are not unique: mend them, then run again',
  '23514': 'existing rows violate the check: mend them, then run again',
  '23502': 'existing rows have no value: fill the column, then run again',
  '23503': 'existing rows reference rows that are gone: mend them, then run again',
};
