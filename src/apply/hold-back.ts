import { describeHolder, type Holder } from '../catalog/lock-holder.js';
import type { TenantChange } from '../diff/change.js';
import { findHolders } from './holders.js';
import { oldSnapshots } from './old-snapshots.js';
import type { TurnContext, TurnEnd } from './turn.js';

/** Builds on populated tables, validations and backfills: minutes or hours, where short work takes milliseconds. */
const isLong = ({ change }: TenantChange): boolean =>
  change.hazards.includes('TABLE_SCAN') ||
  change.steps.some((step) => step.mode === 'backfill' || (step.mode === 'online' && step.builds !== undefined));

/** Why a unit is not begun in this turn; null: it is. */
export async function holdBack(
  unit: readonly TenantChange[],
  schema: string,
  context: TurnContext,
): Promise<TurnEnd | null> {
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
  // Autovacuum has no user, and gives way to the build: on a large table it is at work for hours.
  return writers.filter(({ age, user }) => user !== null && age !== null && age >= yieldAfter);
}
