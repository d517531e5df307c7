import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { expect } from 'vitest';
import { APPROVALS, type Approval } from '../../../src/diff/context.js';
import { type FleetOptions, type FleetUnderTest, itemsOf, summary } from '../fleet.js';
import { type Bench, fill, inflict, isDdl, objects, propertyParameters, write } from './convergence.js';
import { type Damage, randomDamage } from './damage.js';
import { CHOICES, INDEX_NAMES, type RandomState, stateOf } from './state.js';

interface Case {
  readonly before: RandomState;
  readonly after: RandomState;
  readonly rows: number;
  readonly damages: readonly Damage[];
  readonly allow: readonly Approval[];
  /** Whether the routine run, which leaves the extension phase alone, comes first. */
  readonly baseFirst: boolean;
}

/** Two desired states that differ in a few choices, so that most of what one declares the other declares too. */
const randomCase: fc.Arbitrary<Case> = fc
  .record({
    choices: CHOICES,
    edits: fc.array(fc.tuple(fc.nat(59), fc.nat(9999)), { minLength: 1, maxLength: 8 }),
    swaps: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: fc.array(fc.tuple(fc.constantFrom(...INDEX_NAMES), fc.constantFrom(...INDEX_NAMES)), {
          minLength: 1,
          maxLength: 4,
        }),
      },
    ),
    rows: fc.nat(2),
    allow: fc.subarray([...APPROVALS]),
    baseFirst: fc.boolean(),
    damages: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: randomDamage }),
  })
  .map(({ choices, edits, swaps, ...rest }) => {
    const edited = [...choices];
    for (const [at, choice] of edits) edited[at] = choice;
    return { before: stateOf(choices), after: stateOf(edited, swapped(swaps)), ...rest };
  });

/** Names exchanged with one another, pair by pair, each once. */
function swapped(pairs: readonly (readonly [string, string])[]): (name: string) => string {
  const names = new Map<string, string>();
  for (const [one, other] of pairs) {
    if (names.has(one) || names.has(other)) continue;
    names.set(one, other);
    names.set(other, one);
  }
  return (name) => names.get(name) ?? name;
}

/**
 * Whatever desired state a tenant was made by, one apply brings it to another: the next plan holds nothing but what the first
 * one refused or put off, the next apply sends no DDL, and it holds all that a tenant holds which was made by the other.
 */
export async function convergesFromAny(bench: Bench, runs: number): Promise<void> {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(randomCase, (one) => {
      run += 1;
      return converges(bench, one, `s${run}`);
    }),
    propertyParameters(runs),
  );
}

async function converges(
  bench: Bench,
  { before, after, rows, damages, allow, baseFirst }: Case,
  prefix: string,
): Promise<void> {
  const { fleet } = bench;
  const [from, to] = [write(before.files), write(after.files)];
  const [moved, fresh] = [`${prefix}_moved`, `${prefix}_fresh`];
  const goal = { directory: to, schemas: [moved], allow };
  try {
    await fleet.provision([moved], { directory: from });
    for (let row = 1; row <= rows; row += 1) await fill(bench, moved, before.inserts(row));
    await fleet.apply({ directory: from, schemas: [moved] });
    await inflict(bench, moved, before, damages);

    const mayFail = rows + damages.length > 0;
    if (baseFirst && (await settled(fleet, { ...goal, load: { skipExtensionPhases: true } }, mayFail)) === 'failed')
      return;
    if ((await settled(fleet, goal, mayFail)) !== 'in sync') return;
    await fleet.provision([fresh], { directory: to });
    const now = new Set(await objects(bench, moved));
    expect((await objects(bench, fresh)).filter((object) => !now.has(object))).toEqual([]);
  } finally {
    for (const schema of [moved, fresh]) await bench.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    for (const directory of [from, to]) rmSync(directory, { recursive: true, force: true });
  }
}

/** One apply is enough, as far as it may go. */
async function settled(
  fleet: FleetUnderTest,
  options: FleetOptions,
  mayFail: boolean,
): Promise<'failed' | 'left' | 'in sync'> {
  const [schema = ''] = options.schemas ?? [];
  const planned = itemsOf(await fleet.plan(options), schema);
  const { tenants } = await fleet.apply(options);
  const error = tenants[0]?.error ?? null;
  // Rows that violate what is declared are the operator's to mend; anything else is ours, a column without a value (23502) too.
  expect(mayFail && /^23(?!502)/u.test(error?.sqlstate ?? '') ? null : error).toBeNull();
  if (error !== null) return 'failed';
  const refused = planned.flatMap(({ change }) =>
    change.status === 'pending' ? [] : [`${change.table}.${change.object}`],
  );
  const left = itemsOf(await fleet.plan(options), schema).map(({ change }) => ({
    is: summary(change),
    of: `${change.table}.${change.object}`,
    reason: change.reason,
  }));
  expect(left.filter((one) => !refused.includes(one.of) || one.is.endsWith('pending'))).toEqual([]);
  fleet.forget();
  await fleet.apply(options);
  expect(fleet.statements.filter(isDdl)).toEqual([]);
  return left.length === 0 ? 'in sync' : 'left';
}
