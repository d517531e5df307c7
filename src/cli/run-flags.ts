import * as Flags from '@oclif/core/flags';
import { type ApplyLimits, type ApplyRequest, DEFAULT_LIMITS, type MaxFailures } from '../apply/request.js';
import type { TenantSelection } from '../catalog/discover.js';
import type { Shard } from '../catalog/shard.js';
import { TrueupError } from '../trueup-error.js';
import { parseDuration, parseMoment } from './durations.js';

/** PostgreSQL's default of deadlock_timeout, in milliseconds. */
const DEADLOCK_TIMEOUT = 1000;

/** Which part of the fleet: plan and apply. */
export const shardFlags = {
  shard: Flags.string({
    description: 'only part I (from 0) of the N into which a stable hash of database and schema splits the fleet',
    helpValue: 'I/N',
    helpGroup: 'TENANTS',
  }),
};

const runGroup = { helpGroup: 'RUN' } as const;

/** How an apply runs. */
export const runFlags = {
  concurrency: Flags.integer({ description: 'connections at most', helpValue: 'N', min: 1, default: 4, ...runGroup }),
  'index-builds': Flags.integer({
    description: 'index builds on populated tables at once',
    helpValue: 'N',
    min: 1,
    default: 1,
    ...runGroup,
  }),
  batch: Flags.integer({
    description: 'tenants that are locked, read and verified together; two such batches are at work at a time',
    helpValue: 'N',
    min: 1,
    default: 250,
    ...runGroup,
  }),
  canary: Flags.integer({
    description: 'converge and verify N tenants before any other; stop when one of them fails',
    helpValue: 'N',
    min: 0,
    default: 0,
    ...runGroup,
  }),
  'max-failures': Flags.string({
    description: 'begin no more tenants once N of them, or P percent of those to change, have failed',
    helpValue: 'N|P%',
    ...runGroup,
  }),
  deadline: Flags.string({
    description: 'be done by then: 04:30, 90min from now, or an instant by ISO 8601',
    helpValue: 'TIME',
    ...runGroup,
  }),
  'lock-timeout': durationFlag('budget for all locks of a transaction; below 1s', '500ms'),
  'build-timeout': durationFlag('bound of one index build or validation', '24h'),
  'lock-wait': durationFlag('how long a tenant that others hold is waited for', '30s'),
  'yield-after': durationFlag('cancel a build, to try again, once a session has waited behind it so long', '5s'),
  'drain-timeout': durationFlag('on SIGTERM, or before the deadline: time for what is in flight', '20s'),
  events: Flags.boolean({
    description: 'one JSON line an event while it runs, instead of the text; on standard error with --json',
    ...runGroup,
  }),
};

/** The parsed {@link runFlags}. */
export interface RunFlags {
  readonly concurrency: number;
  readonly 'index-builds': number;
  readonly batch: number;
  readonly canary: number;
  readonly 'max-failures'?: string | undefined;
  readonly deadline?: string | undefined;
  readonly 'lock-timeout': string;
  readonly 'build-timeout': string;
  readonly 'lock-wait': string;
  readonly 'yield-after': string;
  readonly 'drain-timeout': string;
}

/** What of an apply's request the flags say. */
export type RunOptions = Pick<
  ApplyRequest,
  'concurrency' | 'indexBuilds' | 'batch' | 'canary' | 'maxFailures' | 'deadline' | 'limits'
>;

/** @throws {TrueupError} USAGE for a value that is not of its form, or out of its bounds */
export function runOptionsOf(flags: RunFlags, now: Date = new Date()): RunOptions {
  const { deadline } = flags;
  const maxFailures = flags['max-failures'];
  return {
    concurrency: flags.concurrency,
    indexBuilds: flags['index-builds'],
    batch: flags.batch,
    canary: flags.canary,
    maxFailures: maxFailures === undefined ? null : parseMaxFailures(maxFailures),
    deadline: deadline === undefined ? null : parseMoment(deadline, 'deadline', now),
    limits: limitsOf(flags),
  };
}

function limitsOf(flags: RunFlags): ApplyLimits {
  const lockTimeout = parseDuration(flags['lock-timeout'], 'lock-timeout', 1);
  // Waiting longer, it is the application's statement and not ours that the server ends for a deadlock.
  if (lockTimeout >= DEADLOCK_TIMEOUT)
    throw new TrueupError(
      'USAGE',
      `--lock-timeout ${flags['lock-timeout']} is not below 1s, deadlock_timeout's default`,
      {
        remedy: 'give it less, 500ms say: a lock that was not had is tried for again',
      },
    );
  return {
    ...DEFAULT_LIMITS,
    lockTimeout,
    buildTimeout: parseDuration(flags['build-timeout'], 'build-timeout', 1),
    lockWait: parseDuration(flags['lock-wait'], 'lock-wait'),
    yieldAfter: parseDuration(flags['yield-after'], 'yield-after'),
    drainTimeout: parseDuration(flags['drain-timeout'], 'drain-timeout'),
  };
}

/** `3`, or `5%`. @throws {TrueupError} USAGE */
export function parseMaxFailures(text: string): MaxFailures {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/u.exec(text);
  const value = Number(match?.[1]);
  const percent = match?.[2] === '%';
  const good = match !== null && (percent ? value > 0 && value <= 100 : Number.isSafeInteger(value) && value >= 1);
  if (good) return percent ? { percent: value } : { tenants: value };
  throw new TrueupError('USAGE', `--max-failures ${text} is neither a number of tenants nor a share of them`, {
    remedy: 'write 1 or more tenants (3), or more than 0 percent (5%)',
  });
}

/** `2/8`: the third of eight. @throws {TrueupError} USAGE */
export function parseShard(text: string): Shard {
  const match = /^\s*(\d{1,9})\s*\/\s*(\d{1,9})\s*$/u.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match !== null && index < count) return { index, count };
  const problem = match === null ? 'is not of the form I/N' : 'is no part of a fleet: I is not below N';
  throw new TrueupError('USAGE', `--shard ${text} ${problem}`, {
    remedy: 'write I/N with I from 0 to N-1: 0/8 to 7/8 are the eight parts of a fleet',
  });
}

function durationFlag(description: string, value: string) {
  return Flags.string({ description, helpValue: 'TIME', default: value, ...runGroup });
}

/** What {@link shardFlags} add to a selection. @throws {TrueupError} USAGE */
export const shardSelection = (flags: { readonly shard?: string | undefined }): Pick<TenantSelection, 'shard'> =>
  flags.shard === undefined ? {} : { shard: parseShard(flags.shard) };
