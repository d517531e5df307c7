import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { changesOf, type FleetUnderTest } from '../fleet.js';
import { inspected } from '../inspected.js';
import { RUNS_VARIABLE } from './convergence.js';
import { type Damage, damageScript, randomDamage } from './damage.js';
import { type RandomState, randomState } from './state.js';

/** A fleet, and a connection of the test's own to its database. */
export interface Bench {
  readonly fleet: FleetUnderTest;
  query(sql: string): Promise<unknown>;
}

interface Case {
  readonly state: RandomState;
  readonly rows: number;
  readonly damages: readonly Damage[];
}

const randomCase: fc.Arbitrary<Case> = fc.record({ state: randomState, rows: fc.nat(2), damages: randomDamage });

/**
 * Whatever a tenant is, damaged or not, its own files are in sync with it; and what the damage took from a twin that was
 * inspected before is shown as drift.
 */
export async function inspectsAnything(bench: Bench, runs: number): Promise<void> {
  const seed = Number(process.env.TRUEUP_PROPERTY_SEED ?? Date.now() % 2 ** 31);
  process.stderr.write(`seed ${seed} (TRUEUP_PROPERTY_SEED)\n`);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(randomCase, (one) => {
      run += 1;
      return isInSync(bench, one, `i${run}`);
    }),
    { numRuns: Number(process.env[RUNS_VARIABLE] ?? runs), seed, endOnFailure: true },
  );
}

async function isInSync({ fleet, query }: Bench, { state, rows, damages }: Case, prefix: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-property-'));
  const [whole, broken] = [`${prefix}_whole`, `${prefix}_broken`];
  const run = async (schema: string, statements: readonly string[]) => {
    await query(`SET search_path = ${schema}, public`);
    // What a tenant happens not to have, a statement fails on: no harm.
    for (const sql of statements) await query(sql).catch(() => {});
  };
  try {
    for (const [path, content] of Object.entries(state.files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), content);
    }
    await fleet.provision([whole, broken], { directory });
    for (let row = 1; row <= rows; row += 1)
      for (const schema of [whole, broken]) await run(schema, state.inserts(row));
    await fleet.apply({ directory, schemas: [whole, broken] });

    const files = await inspected(fleet.database, whole);
    const before = await fleet.plan({ directory: files.directory });
    expect(changesOf(before, whole), files.text('base.yaml')).toEqual([]);
    // Nothing that a random state declares is beyond the format.
    expect(files.notes.filter(({ what }) => !what.startsWith('indexes '))).toEqual([]);

    const script = damages.flatMap((damage) => damageScript(state, damage));
    // Leftovers of an interrupted run are refused, and have a test of their own.
    const inflicted = script.filter((sql) => !sql.includes('trueup_') && sql !== '@rows');
    await run(
      broken,
      inflicted.map((sql) => sql.replace(/^!/u, '')),
    );
    const own = await inspected(fleet.database, broken);
    const after = await fleet.plan({ directory: own.directory, schemas: [broken] });
    expect(changesOf(after, broken), own.text('base.yaml')).toEqual([]);

    // A key that is gone is seen by the twin's files.
    await run(broken, ['DROP TABLE IF EXISTS shops CASCADE']);
    const drift = changesOf(await fleet.plan({ directory: files.directory, schemas: [broken] }), broken);
    expect(drift).toContain('create-table shops.shops pending');
  } finally {
    for (const schema of [whole, broken]) await query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    rmSync(directory, { recursive: true, force: true });
  }
}
