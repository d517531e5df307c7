import { setTimeout as sleep } from 'node:timers/promises';
import type { TenantChange } from '../diff/change.js';
import type { PlannedTenant } from '../plan/fleet-plan.js';
import { type Filled, runBackfill } from './backfill.js';
import { explained } from './explained.js';
import { isPassing } from './failure.js';
import { runOnline } from './online-step.js';
import { backoff } from './schedule.js';
import { type Statement, statementsOf } from './statements.js';
import { asStale, runTransaction, scriptOf, type TransactionUnit } from './transaction-unit.js';
import type { TurnContext } from './turn.js';

/**
 * Makes one unit; false when it was to go on no longer half-way, with what was done left as it is.
 * @param of isFirst: nothing of the tenant was changed in this turn; made: is called when something was
 */
export async function runUnit(
  unit: readonly TenantChange[],
  tenant: PlannedTenant,
  context: TurnContext,
  { isFirst, made }: { readonly isFirst: boolean; readonly made: () => void },
): Promise<boolean> {
  const evidence = unit.flatMap(({ change, members }) =>
    change.assumptions.map((assumption) => ({
      assumption,
      members: members ?? [],
      drops: change.hazards.includes('COLUMN_DROPPED'),
    })),
  );
  let begun = false;
  let waiting: Statement[] = [];
  const flush = async (): Promise<boolean> => {
    if (waiting.length === 0) return true;
    const transaction = { statements: waiting, evidence };
    waiting = [];
    const goesOn = await runLocked(transaction, tenant.schema, context, { begun, isFirst: isFirst && !begun });
    begun = true;
    if (goesOn) made();
    return goesOn;
  };
  for (const item of unit)
    for (const statement of statementsOf(item, tenant)) {
      if (statement.step.mode === 'transaction') {
        waiting.push(statement);
        continue;
      }
      if (!(await flush())) return false;
      begun = true;
      if (!(await context.worker.gate.alone(() => runOutside(statement, item, tenant, context)))) return false;
      made();
    }
  return flush();
}

/** Runs a statement that is part of no transaction; false when it was to go on no longer. */
async function runOutside(
  statement: Statement,
  { change }: TenantChange,
  tenant: PlannedTenant,
  context: TurnContext,
): Promise<boolean> {
  const { worker, crew, request } = context;
  const { limits, control } = request;
  // A long one is stopped at a batch's end, once the run is not only drained, or others wait for the tenant's lock.
  const goesOn = () => !crew.halted && (control.state === 'running' || control.state === 'draining');
  if (statement.step.mode === 'backfill') {
    const about = { schema: tenant.schema, table: change.table };
    const tell = (filled: Filled) =>
      request.observe({
        kind: 'backfill-progress',
        database: tenant.database,
        ...about,
        column: change.object,
        ...filled,
      });
    return runBackfill(worker, statement, { ...about, limits, goesOn, tell });
  }
  const phase = context.phases.find((candidate) => candidate.name === change.phase);
  const settings = statement.builds === null ? {} : (phase?.buildSettings ?? {});
  const object = statement.builds ?? change.object;
  try {
    await runOnline(worker, tenant.schema, statement, object, { buildTimeout: limits.buildTimeout, settings });
    return true;
  } catch (error) {
    const failed = { statements: [statement], evidence: [] };
    const told = await explained(error, worker.session, tenant.schema, failed);
    await takeBack(statement.undo, tenant, context);
    throw told;
  }
}

/**
 * A transaction whose failure is explained: in line behind another tenant's where it can be. Gives false where the run was to
 * go on no longer before anything of the unit was sent.
 */
async function runLocked(
  unit: TransactionUnit,
  schema: string,
  { worker, crew, request, order }: TurnContext,
  { begun, isFirst }: { readonly begun: boolean; readonly isFirst: boolean },
): Promise<boolean> {
  const { gate } = worker;
  const budget = request.limits.lockTimeout;
  const goesOn = () => begun || (request.control.running && !crew.halted);
  const explain = (error: unknown) => explained(asStale(error, schema), worker.session, schema, unit);
  const script = scriptOf(schema, unit, budget, { order, isFirst });
  if (script !== null) return gate.inLine({ ...script, goesOn, explain });
  return gate.alone(async () => {
    if (!goesOn()) return false;
    try {
      await runTransaction(worker.session, schema, unit, budget, order);
      return true;
    } catch (error) {
      throw await explain(error);
    }
  });
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
