import { isPending, type TenantChange } from '../diff/change.js';
import { changeKey } from '../plan/drift-classes.js';
import { type Left, type Standing, unreadableFailure } from './ledger.js';
import type { TenantFailure } from './outcome.js';
import type { ApplyLimits } from './request.js';
import { backoff, type Task } from './schedule.js';
import type { TenantRun } from './turn.js';

/** What becomes of a tenant's task after a turn: it has ended, or comes again. */
export type Decision =
  | { readonly kind: 'end'; readonly left: Left | null }
  | { readonly kind: 'again'; readonly task: Task }
  /** A passing error. */
  | { readonly kind: 'retry'; readonly task: Task; readonly failure: TenantFailure }
  /** Something of others is in the way. */
  | { readonly kind: 'wait'; readonly task: Task; readonly failure: TenantFailure };

/** What a decision goes by beside the turn. Milliseconds, since the epoch for `now`. */
export interface Circumstances {
  readonly now: number;
  readonly limits: Pick<ApplyLimits, 'lockWait' | 'attempts'>;
  readonly random: () => number;
}

/** Turns that a tenant gets at most, waiting aside: what neither settles nor fails must end. */
const TURNS = 20;
/** How soon what is in the way is looked at again, in milliseconds. */
const PATIENCE = 400;

/** By how a tenant's turn ended (null: it had none) and by what the introspection after it shows. */
export function decide(task: Task, turn: TenantRun | null, standing: Standing, by: Circumstances): Decision {
  if (standing.kind === 'unreadable' && standing.tenant.code === 'TENANT_LOCKED')
    return waiting(task, unreadableFailure(standing.tenant), by);
  if (standing.kind === 'unreadable') return failed(unreadableFailure(standing.tenant));
  if (standing.kind === 'gone') return { kind: 'end', left: null };
  const { schema, changes } = standing.tenant;
  if (!changes.some(isPending)) {
    const running = changes.find(({ change }) => change.status === 'deferred' && change.waitsFor === 'build');
    return running === undefined ? { kind: 'end', left: null } : waiting(task, beingBuilt(running), by);
  }
  const end = turn?.end ?? { kind: 'stopped' as const };
  // Who never had a turn for others' sake has not failed.
  if (task.turns >= TURNS) return end.kind === 'stopped' ? leftOver(lockedOut(schema)) : failed(notConverged(schema));
  switch (end.kind) {
    case 'long':
      return { kind: 'again', task: { ...task, lane: 'long', waitingSince: null, due: 0 } };
    case 'stopped':
      return { kind: 'again', task: { ...task, due: by.now + PATIENCE } };
    case 'waiting':
      return waiting(task, end.failure, by);
    case 'passing':
      return retried(task, end.failure, by);
    case 'overtaken':
      return overtaken(task, end.failure, by);
    case 'failed':
      return failed(end.failure);
    case 'done':
      // What was done and is asked for again does not converge: another turn would build it once more for nothing.
      return repeats(turn, changes)
        ? failed(notConverged(schema))
        : { kind: 'again', task: { ...task, waitingSince: null, due: 0 } };
  }
}

/** What others hold is looked at again until `lockWait` is over; then the tenant is left for another run. */
export function waiting(task: Task, failure: TenantFailure, { now, limits, random }: Circumstances): Decision {
  const since = task.waitingSince ?? now;
  if (now - since >= limits.lockWait) return leftOver(failure);
  const due = now + PATIENCE * (0.5 + random());
  // Waiting is bounded by time: its turns do not count.
  return { kind: 'wait', failure, task: { ...task, turns: task.turns - 1, waitingSince: since, due } };
}

/** How many times as often a build may give way to the application as a lock may not be had. */
const PATIENCE_WITH_OTHERS = 3;

/**
 * A passing error is met with another turn, later and later, a bounded number of times. A build that gave way too often is
 * no failure: it is left for a quieter hour.
 */
export function retried(task: Task, failure: TenantFailure, { now, limits, random }: Circumstances): Decision {
  const failures = task.failures + 1;
  const yielded = failure.code === 'BUILD_YIELDED';
  if (failures >= limits.attempts * (yielded ? PATIENCE_WITH_OTHERS : 1))
    return yielded ? leftOver(failure) : failed(failure);
  const due = now + backoff(failures, random);
  return { kind: 'retry', failure, task: { ...task, failures, waitingSince: null, due } };
}

/**
 * The new diff goes by what is there. Where that asks for what fails again in the same words, nobody was at work: a sequence that a
 * default names, say, is looked at by no diff. Rows come and go, and are told of in the same words each time.
 */
function overtaken(task: Task, failure: TenantFailure, by: Circumstances): Decision {
  const { code, message } = failure;
  if (code !== 'STALE_EVIDENCE' && message === task.overtakenBy) return failed(failure);
  return retried({ ...task, overtakenBy: message }, failure, by);
}

const failed = (failure: TenantFailure): Decision => ({ kind: 'end', left: { kind: 'failed', failure } });

/** For another run. */
const leftOver = (failure: TenantFailure): Decision => ({ kind: 'end', left: { kind: 'not-attempted', failure } });

function repeats(turn: TenantRun | null, changes: readonly TenantChange[]): boolean {
  const done = new Set((turn?.changes ?? []).flatMap(({ item }) => deeds(item)));
  return changes.some((item) => isPending(item) && deeds(item).some((deed) => done.has(deed)));
}

/** A change by what it makes; of a family's change each member: others may have come meanwhile. */
const deeds = ({ change, members }: TenantChange): readonly string[] =>
  (members ?? [{}]).map((member) => `${changeKey(change)}\n${JSON.stringify(member)}`);

const notConverged = (schema: string): TenantFailure => ({
  code: 'NOT_CONVERGED',
  message: `after its changes schema "${schema}" still differs from the desired state`,
  sqlstate: null,
  remedy: 'trueup plan shows what is left; if it stays the same after another apply, report it as a bug',
});

/** Another applier's tenant, or one that the application's own migration is at work on. */
export const lockedOut = (schema: string, holder?: string): TenantFailure => ({
  code: 'TENANT_LOCKED',
  message: `another run of trueup, or the application’s own migration, is at work on schema "${schema}"${holder === undefined ? '' : `: ${holder}`}`,
  sqlstate: null,
  remedy: 'wait for it, or end that process where its program is gone; then run again',
});

const beingBuilt = ({ change }: TenantChange): TenantFailure => ({
  code: 'BUILD_HELD_UP',
  message: change.obstacle ?? change.reason,
  sqlstate: null,
  remedy: change.remedy ?? 'wait for it, then run again',
});
