import { isLost } from '../database/database-errors.js';
import { isPending, type TenantChange } from '../diff/change.js';
import type { PlannedTenant } from '../plan/fleet-plan.js';
import { isTransactional } from '../plan/order.js';
import { assertStatement } from '../sql/guard.js';
import { showSql } from '../sql/template.js';
import { TEMPORARY_NAME } from '../sql/temporary-name.js';
import { Explained } from './explained.js';
import { anyFailure, isCancelled, isOvertaken, isPassing } from './failure.js';
import { holdBack } from './hold-back.js';
import type { ChangeOutcome } from './outcome.js';
import { runUnit } from './run-unit.js';
import type { TenantRun, TurnContext, TurnEnd } from './turn.js';

/**
 * Makes a tenant's pending changes, in order, as far as this turn goes. What fails stops this tenant's chain and no
 * other's; what was committed before it stays and is right by itself.
 */
export async function applyTenant(tenant: PlannedTenant, context: TurnContext): Promise<TenantRun> {
  const pending = tenant.changes.filter(isPending);
  const { database, schema } = tenant;
  const done: ChangeOutcome[] = [];
  let begun = false;
  let end: TurnEnd = { kind: 'done' };
  let current: readonly TenantChange[] = [];
  let isInDoubt = false;
  try {
    for (const { change } of pending)
      for (const step of change.steps.flatMap((one) => [one, ...(one.undo ?? [])]))
        await assertStatement(step.sql, { schemas: context.allowedSchemas });
    for (const unit of units(pending)) {
      const reason = await holdBack(unit, schema, context);
      if (reason !== null) {
        end = reason;
        break;
      }
      current = unit;
      const made = () => {
        begun = true;
      };
      if (!(await runUnit(unit, tenant, context, { isFirst: done.length === 0, made }))) {
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
    end = endOf(error, current, context);
    // The server may have committed what it could no longer answer for: all of a transaction, or none.
    isInDoubt = isLost(error);
  }
  const resultOf = (item: TenantChange) => (isInDoubt && current.includes(item) ? 'in-doubt' : 'not-applied');
  return {
    changes: [...done, ...pending.slice(done.length).map((item) => ({ item, result: resultOf(item) }) as const)],
    begun: begun || isInDoubt,
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

function endOf(error: unknown, unit: readonly TenantChange[], { request }: TurnContext): TurnEnd {
  const cause = error instanceof Explained ? error.error : error;
  const said = anyFailure(cause);
  const bare = { ...said, message: withObjects(said.message, unit) };
  const failure =
    error instanceof Explained
      ? { ...bare, message: `${bare.message}; ${error.note}`, remedy: error.remedy ?? bare.remedy }
      : bare;
  if (isCancelled(cause) && !request.control.running) return { kind: 'stopped' };
  if (isPassing(cause) || isLost(cause)) return { kind: 'passing', failure };
  if (isOvertaken(cause)) return { kind: 'overtaken', failure };
  return { kind: 'failed', failure };
}

const TEMPORARY = new RegExp(`"(${TEMPORARY_NAME})"`, 'gu');

/** A temporary name is in nobody's files: a message with one tells of what it is for. */
const withObjects = (message: string, unit: readonly TenantChange[]): string =>
  message.replaceAll(TEMPORARY, (quoted, name: string) => {
    const item = unit.find(
      ({ change, members }) =>
        change.steps.some(({ sql }) => showSql(sql).includes(name)) ||
        members?.some((member) => Object.values(member).includes(name)) === true,
    );
    return item === undefined ? quoted : `${quoted} for ${item.change.table}.${item.change.object}`;
  });
