import type { FleetOutcome } from '../apply/fleet-outcome.js';
import { type Examination, severityCounts } from '../doctor/examination.js';
import type { FleetPlan } from '../plan/fleet-plan.js';
import { EXIT_CODES, type ExitCode, worstExitCode } from './exit-codes.js';

/**
 * What `plan` ends with. Drift and blocked changes count only when they are asked for; a tenant that could not be read
 * always does, as does a whole database: a plan without it must not pass for a plan of the whole fleet.
 */
export function planExitCode(plan: FleetPlan, options: { readonly detailed: boolean }): ExitCode {
  const codes: number[] = [];
  if (plan.failedDatabases.length > 0) codes.push(EXIT_CODES.error);
  if (plan.summary.unreadable > 0) codes.push(EXIT_CODES.failed);
  if (options.detailed) {
    const changes = [
      ...plan.databases.flatMap((database) => database.databaseChanges),
      ...plan.classes.flatMap((group) => group.changes.map(({ change }) => change)),
    ];
    if (changes.some((change) => change.status === 'blocked')) codes.push(EXIT_CODES.blocked);
    if (changes.some((change) => change.status === 'pending')) codes.push(EXIT_CODES.drift);
  }
  return worstExitCode(codes);
}

/** What `apply` ends with. A tenant that was dropped during the run needs nothing more and is no failure. */
export function applyExitCode(outcome: FleetOutcome): ExitCode {
  const { summary } = outcome;
  const codes: number[] = [];
  if (outcome.failedDatabases.length > 0) codes.push(EXIT_CODES.error);
  if (outcome.interrupted === 'SIGINT') codes.push(EXIT_CODES.interrupted);
  if (outcome.interrupted === 'SIGTERM') codes.push(EXIT_CODES.terminated);
  if (summary.failed > 0) codes.push(EXIT_CODES.failed);
  if (summary.blocked > 0 || summary.partial > 0) codes.push(EXIT_CODES.blocked);
  if (summary.stale > 0 || summary.notAttempted > 0) codes.push(EXIT_CODES.leftOver);
  for (const { change, result } of outcome.databaseChanges)
    if (result === 'not-applied') codes.push(change.status === 'blocked' ? EXIT_CODES.blocked : EXIT_CODES.leftOver);
  return worstExitCode(codes);
}

/** What `doctor` ends with: a problem counts as drift does, to be seen by whoever asks before an apply. */
export function doctorExitCode(seen: Examination): ExitCode {
  const codes: number[] = [];
  if (seen.failedDatabases.length > 0) codes.push(EXIT_CODES.error);
  if (severityCounts(seen).problem > 0) codes.push(EXIT_CODES.drift);
  return worstExitCode(codes);
}
