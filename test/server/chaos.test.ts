import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChaosFleet, openChaosFleet } from '../support/chaos/fleet.js';
import { playRound, told } from '../support/chaos/play.js';
import { describeMoment, roundOf } from '../support/chaos/round.js';

/** How many rounds; `npm run test:chaos` asks for 50. */
const ROUNDS = Number(process.env.TRUEUP_CHAOS_ROUNDS ?? 2);
/** The first round's seed; each further round has the next number. */
const SEED = Number(process.env.TRUEUP_CHAOS_SEED ?? Date.now() % 2 ** 31);
/** Bound of one round, in milliseconds. */
const BOUND = 180_000;

let fleet: ChaosFleet;
/** Milliseconds of a run that nobody interrupts. */
let whole: number;
/** Interruptions that hit a run, and all. */
const hits = { struck: 0, meant: 0 };

beforeAll(async () => {
  fleet = await openChaosFleet({ small: { memories: 60, audits: 100 }, big: { memories: 3000, audits: 20_000 } });
}, 300_000);
afterAll(async () => fleet?.close());

it('converges a damaged fleet when nothing interrupts it', { timeout: BOUND }, async () => {
  const { took, runs } = await playRound(fleet, { ...roundOf(SEED), interruptions: [] }, 0);
  expect(runs).toBe(1);
  whole = took;
  process.stderr.write(`a whole run takes ${took} ms\n`);
});

it.each(Array.from({ length: ROUNDS }, (_, at) => SEED + at))(
  'R4, R5: converges after it was interrupted, without a trace and without loss (seed %i)',
  { timeout: BOUND },
  async (seed) => {
    const round = roundOf(seed);
    const words = round.interruptions.map(({ blow, moment }) => `${blow} ${describeMoment(moment)}`);
    process.stderr.write(`TRUEUP_CHAOS_SEED=${seed}, --batch=${round.batch}: ${words.join('; then ')}\n`);
    const { interrupted, runs, took } = await playRound(fleet, round, whole);
    hits.meant += interrupted.length;
    hits.struck += interrupted.filter(({ ended }) => ended !== null).length;
    const ends = interrupted.map(({ ended, changes }) =>
      ended === null
        ? 'too late'
        : `hit after ${changes} changes, ended with ${told(ended).split('\n')[0]?.slice(0, 300)}`,
    );
    process.stderr.write(`  ${ends.join('; ')}; ${runs} run(s) afterwards, the last ${took} ms\n`);
    // Whatever an interrupted run left, one run clears it.
    expect(runs).toBe(1);
  },
);

it('hit the runs that it meant to interrupt', () => {
  process.stderr.write(`${hits.struck} of ${hits.meant} interruptions came before the run had ended\n`);
  expect(hits.struck).toBeGreaterThan(0);
});
