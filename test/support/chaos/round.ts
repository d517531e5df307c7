import fc from 'fast-check';
import { DAMAGE_NAMES, type DamageName } from './damages.js';
import { BIG, TENANTS } from './fleet.js';

/** What befalls a run. */
export const BLOWS = [
  'kill the process',
  'crash the server',
  'end every session',
  'end one session',
  'reset every connection',
] as const;
export type Blow = (typeof BLOWS)[number];

/** What a session of the run is seen doing when it is hit, as a pattern of its statement; or its state. */
export const DOINGS = {
  'a concurrent build': /^create (?:unique )?index concurrently/iu,
  'a concurrent drop': /^drop index concurrently/iu,
  'a backfill': /^update /iu,
  'a validation': /validate constraint/iu,
  'another change of a table': /^alter /iu,
  'a lock': /^lock table/iu,
} as const;
export type Doing = keyof typeof DOINGS | 'idle in transaction';

/** When a run is hit: at a share of the time that a whole run takes, or when a session is seen at something, the nth time. */
export type Moment =
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'seen'; readonly doing: Doing; readonly nth: number; readonly later: number };

/** One interruption. */
export interface Interruption {
  readonly blow: Blow;
  readonly moment: Moment;
}

/** One round: each tenant's damages, and the interruptions, one for each run before the last. */
export interface Round {
  readonly damages: readonly { readonly schema: string; readonly names: readonly DamageName[] }[];
  readonly interruptions: readonly Interruption[];
  /** Tenants of a batch, at most: all in one, or several batches of which two are at work at a time. */
  readonly batch: number;
}

const interruption: fc.Arbitrary<Interruption> = fc.record({
  blow: fc.constantFrom(...BLOWS),
  moment: fc.oneof(
    fc.record({ kind: fc.constant('share' as const), share: fc.double({ min: 0.05, max: 0.9, noNaN: true }) }),
    fc.record({
      kind: fc.constant('seen' as const),
      doing: fc.constantFrom<Doing>(...(Object.keys(DOINGS) as Doing[]), 'idle in transaction'),
      nth: fc.integer({ min: 1, max: 6 }),
      // Milliseconds: into what was seen, or past it.
      later: fc.integer({ min: 0, max: 150 }),
    }),
  ),
});

const damages = fc.uniqueArray(fc.constantFrom(...DAMAGE_NAMES), { minLength: 1, maxLength: 6 });

/** Long work, for every round to have something that can be hit. */
const LONG: readonly DamageName[] = ['every member missing', 'a column with a volatile default missing'];

const round: fc.Arbitrary<Round> = fc.record({
  damages: fc.tuple(
    ...TENANTS.map((schema) =>
      damages.map((names) => ({ schema, names: BIG.includes(schema) ? [...new Set([...LONG, ...names])] : names })),
    ),
  ),
  interruptions: fc.oneof(
    { weight: 3, arbitrary: fc.tuple(interruption) },
    { weight: 1, arbitrary: fc.tuple(interruption, interruption) },
  ),
  batch: fc.constantFrom(2, 3, 5, 250),
});

/** The round of a seed; always the same. */
export function roundOf(seed: number): Round {
  const [made] = fc.sample(fc.noBias(round), { seed, numRuns: 1 });
  if (made === undefined) throw new Error(`no round for seed ${seed}`);
  return made;
}

/** In words, for the log of a test run. */
export const describeMoment = (moment: Moment): string =>
  moment.kind === 'share'
    ? `at ${(moment.share * 100).toFixed(0)} % of a run`
    : `${moment.later} ms after ${moment.doing} was seen for the ${moment.nth}. time`;
