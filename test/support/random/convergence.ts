import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { type FleetUnderTest, itemsOf, summary } from '../fleet.js';
import { type Damage, damageScript, randomDamage } from './damage.js';
import { type RandomState, randomState } from './state.js';

/** A fleet, and a connection of the test's own to its database. */
export interface Bench {
  readonly fleet: FleetUnderTest;
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** How a property is run: {@link RUNS_VARIABLE} times, or as often as the file says, from a seed that it prints. */
export const RUNS_VARIABLE = 'TRUEUP_PROPERTY_RUNS';

interface Case {
  readonly state: RandomState;
  readonly rows: number;
  readonly damages: readonly (readonly Damage[])[];
}

const randomCase: fc.Arbitrary<Case> = fc.record({
  state: randomState,
  rows: fc.nat(2),
  damages: fc.array(randomDamage, { minLength: 1, maxLength: 3 }),
});

/**
 * Whatever is damaged, one apply brings it back: the next plan holds nothing but what the first one refused or put off,
 * the next apply sends no DDL, and tenants that were not damaged are never touched.
 */
export async function convergesAlways(bench: Bench, runs: number): Promise<void> {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(randomCase, (one) => {
      run += 1;
      return converges(bench, one, `r${run}`);
    }),
    propertyParameters(runs),
  );
}

/** The parameters of a property that runs so often where no variable says otherwise, from a seed that it prints. */
export function propertyParameters(runs: number): fc.Parameters<unknown> {
  const seed = Number(process.env.TRUEUP_PROPERTY_SEED ?? Date.now() % 2 ** 31);
  process.stderr.write(`seed ${seed} (TRUEUP_PROPERTY_SEED)\n`);
  return {
    numRuns: Number(process.env[RUNS_VARIABLE] ?? runs),
    seed,
    ...(process.env.TRUEUP_PROPERTY_PATH === undefined ? {} : { path: process.env.TRUEUP_PROPERTY_PATH }),
    endOnFailure: process.env.TRUEUP_PROPERTY_SHRINK !== '1',
  };
}

async function converges(bench: Bench, { state, rows, damages }: Case, prefix: string): Promise<void> {
  const { fleet } = bench;
  const directory = write(state.files);
  const whole = `${prefix}_whole`;
  const broken = damages.map((_, at) => `${prefix}_broken${at}`);
  const schemas = [whole, ...broken];
  const options = { directory, schemas };
  try {
    await fleet.provision(schemas, { directory });
    for (const schema of schemas)
      for (let row = 1; row <= rows; row += 1) await fill(bench, schema, state.inserts(row));
    // Members of the rows' families come with the rows.
    const filled = await fleet.apply(options);
    expect(filled.tenants.filter((tenant) => tenant.error !== null)).toEqual([]);
    const asDeclared = await objects(bench, whole);
    for (const [at, list] of damages.entries()) await inflict(bench, broken[at] ?? '', state, list);

    const before = await fleet.plan(options);
    fleet.forget();
    const outcome = await fleet.apply(options);
    expect(fleet.statements.filter((sql) => isDdl(sql) && sql.includes(whole))).toEqual([]);
    const failed = new Set<string>();
    for (const tenant of outcome.tenants) {
      if (tenant.error === null) continue;
      // Rows that violate what is declared are the operator's to mend; anything else is ours.
      const byRows = /^235/u.test(tenant.error.sqlstate ?? '');
      expect(byRows ? null : { ...tenant.error, schema: tenant.schema }).toBeNull();
      failed.add(tenant.schema);
    }

    const after = await fleet.plan(options);
    for (const schema of schemas.filter((one) => !failed.has(one))) {
      const refused = itemsOf(before, schema).flatMap(({ change }) =>
        change.status === 'pending' ? [] : [`${change.table}.${change.object}`],
      );
      const left = itemsOf(after, schema).map(({ change }) => ({
        is: summary(change),
        of: `${change.table}.${change.object}`,
        reason: change.reason,
      }));
      expect(
        left.filter((one) => !refused.includes(one.of) || one.is.endsWith('pending')),
        schema,
      ).toEqual([]);
      if (left.length === 0) {
        const now = new Set(await objects(bench, schema));
        const rowsGone = damages
          .flat()
          .some(
            (damage) =>
              damage.kind === 'rows of the family gone' ||
              damage.kind === 'drop a table' ||
              damage.kind === 'more rows',
          );
        expect(
          asDeclared.filter((object) => !now.has(object) && !(rowsGone && object.includes('t0_body'))),
          schema,
        ).toEqual([]);
      }
    }
    fleet.forget();
    await fleet.apply(options);
    const again = fleet.statements.filter((sql) => isDdl(sql) && ![...failed].some((schema) => sql.includes(schema)));
    expect(again).toEqual([]);
  } finally {
    for (const schema of schemas) await bench.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Whether a statement changes anything. */
export const isDdl = (sql: string): boolean => /^\s*(?:CREATE|ALTER|DROP|UPDATE|INSERT|DELETE|LOCK)\b/iu.test(sql);

/** A directory with these files; the caller removes it. */
export function write(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'trueup-property-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

/** Rows as far as the constraints of the random tables let them in. */
export async function fill(bench: Bench, schema: string, inserts: readonly string[]): Promise<void> {
  await bench.query(`SET search_path = ${schema}, public`);
  for (const sql of inserts) await attempt(bench, sql);
}

/** Does to a tenant what can be done to it. */
export async function inflict(
  bench: Bench,
  schema: string,
  state: RandomState,
  damages: readonly Damage[],
): Promise<void> {
  await bench.query(`SET search_path = ${schema}, public`);
  for (const damage of damages) {
    const script = damageScript(state, damage).flatMap((sql) => (sql === '@rows' ? state.inserts(3) : [sql]));
    for (const sql of script) await attempt(bench, sql.replace(/^!/u, ''));
  }
}

async function attempt(bench: Bench, sql: string): Promise<void> {
  try {
    await bench.query(sql);
  } catch (error) {
    if (process.env.TRUEUP_PROPERTY_VERBOSE) process.stderr.write(`${sql}: ${String(error)}\n`);
  }
}

/** What a schema holds, by the server's own words: columns, constraints, indexes, each without the schema's name. */
export async function objects(bench: Bench, schema: string): Promise<readonly string[]> {
  await bench.query(`SET search_path = ${schema}, public`);
  const rows = await bench.query(`
    SELECT format('column %s.%s %s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                  a.attgenerated, a.attcollation::regcollation) AS object
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relnamespace = '${schema}'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT format('constraint %s %s %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
      FROM pg_constraint k WHERE k.connamespace = '${schema}'::regnamespace AND k.contype <> 'n'
    UNION ALL
    SELECT format('index %s %s', replace(pg_get_indexdef(i.indexrelid), '${schema}.', ''), i.indisvalid)
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = '${schema}'::regnamespace AND c.relkind = 'r'
    ORDER BY 1`);
  return rows.map((row) => String(row.object));
}
