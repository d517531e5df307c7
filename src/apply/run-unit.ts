import { setTimeout as sleep } from 'node:timers/promises';
import type { TenantChange } from '../diff/change.js';
import type { PlannedTenant } from '../plan/fleet-plan.js';
import { explained } from './explained.js';
import { isPassing } from './failure.js';
import { runBackfill, runOnline } from './online-step.js';
import { backoff } from './schedule.js';
import { type Statement, statementsOf } from './statements.js';
import { runTransaction, type TransactionUnit } from './transaction-unit.js';
import type { TurnContext } from './turn.js';

/** Makes one unit; false when it was to go on no longer half-way, with what was done left as it is. */
export async function runUnit(
  unit: readonly TenantChange[],
  tenant: PlannedTenant,
  context: TurnContext,
): Promise<boolean> {
  const { worker, request } = context;
  const { limits, control } = request;
  const evidence = unit.flatMap(({ change, members }) =>
    change.assumptions.map((assumption) => ({
      assumption,
      members: members ?? [],
      drops: change.hazards.includes('COLUMN_DROPPED'),
    })),
  );
  let waiting: Statement[] = [];
  const flush = async () => {
    if (waiting.length === 0) return;
    const transaction = { statements: waiting, evidence };
    waiting = [];
    await runLocked(transaction, tenant.schema, context);
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
  unit: TransactionUnit,
  schema: string,
  { worker, request, order }: TurnContext,
): Promise<void> {
  try {
    await runTransaction(worker.session, schema, unit, request.limits.lockTimeout, order);
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
