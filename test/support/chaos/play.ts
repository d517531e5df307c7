import { expect } from 'vitest';
import { catalogOf } from '../catalog.js';
import type { TestDatabase } from '../test-database.js';
import { damageStatements } from './damages.js';
import { catalogMark, leftovers, rowsOf, tablesOf } from './evidence.js';
import { APPLIER, BIG, type ChaosFleet, OUTSIDE, TENANTS, targetFlags, WHOLE } from './fleet.js';
import { type Ended, runProgram, startProgram } from './program.js';
import { startProxy } from './proxy.js';
import type { Round } from './round.js';
import { changesSomething, type LogEntry, logPosition, readLog, statementsOfUser } from './server-log.js';
import { strike } from './strike.js';

/** What came of a round that was as it should be. */
export interface Played {
  /** How each interrupted run ended, and how many changes it had sent; null: it had ended before the moment came. */
  readonly interrupted: readonly { readonly ended: Ended | null; readonly changes: number }[];
  /** Runs that were needed afterwards until one ended with 0. */
  readonly runs: number;
  /** Milliseconds of the last of them. */
  readonly took: number;
}

/** Tenants whose catalogs are compared with the whole one's, beside what plan says of all: seconds for all of them. */
const COMPARED = TENANTS.filter((schema, at) => BIG.includes(schema) || at % 4 === 0);
/** Runs after the last interruption, at most. */
const RUNS = 3;

/**
 * Damages a copy of the fleet, interrupts a run for each interruption, lets apply run to its end, and checks all that an
 * interruption must not have changed.
 * @param whole milliseconds that an uninterrupted run takes
 */
export async function playRound(fleet: ChaosFleet, round: Round, whole: number): Promise<Played> {
  const database = await fleet.copy();
  try {
    await inflict(database, round);
    const before = await evidence(database);
    const from = logPosition(fleet.server.logFile);

    const interrupted: { ended: Ended | null; changes: number }[] = [];
    for (const interruption of round.interruptions) {
      const proxy = await startProxy(fleet.server.port);
      try {
        const url = new URL(database.urlFor(APPLIER));
        url.port = String(proxy.port);
        const begun = logPosition(fleet.server.logFile);
        const running = startProgram(['apply', '--yes', `--batch=${round.batch}`, ...targetFlags(url.href)]);
        const struck = await strike(interruption, { running, server: fleet.server, database, proxy, whole });
        const sent = statementsOfUser(readLog(fleet.server.logFile, begun), APPLIER);
        const ended = await running.ended;
        interrupted.push({
          ended: struck ? ended : null,
          changes: sent.filter(({ sql }) => changesSomething(sql)).length,
        });
      } finally {
        await proxy.close();
      }
    }

    const ends: Ended[] = [];
    do ends.push(await runProgram(['apply', '--yes', ...targetFlags(database.urlFor(APPLIER))]));
    while (ends.at(-1)?.code !== 0 && ends.length < RUNS);
    const last = ends.at(-1);
    if (last?.code !== 0) throw new Error(`after ${ends.length} runs apply still ends with ${told(last)}`);

    await expectConverged(database);
    await expectNothingLost(database, before);
    expectOnlyTenants(readLog(fleet.server.logFile, from));
    return { interrupted, runs: ends.length, took: last.took };
  } finally {
    await database.drop();
  }
}

/** A run's end with what it said of errors. */
export function told(ended: Ended | undefined): string {
  if (ended === undefined) return 'nothing';
  const { code, signal, stdout, stderr } = ended;
  return `${code ?? signal}: ${errorsOf(stdout)}\n${stderr.slice(-2000)}`;
}

function errorsOf(stdout: string): string {
  try {
    const document = JSON.parse(stdout) as {
      readonly error?: unknown;
      readonly summary?: unknown;
      readonly tenants?: readonly { readonly schema: string; readonly outcome: string; readonly error?: unknown }[];
    };
    const bad = (document.tenants ?? []).filter((tenant) => tenant.outcome !== 'converged');
    return JSON.stringify(document.error ?? { summary: document.summary, bad: bad.slice(0, 5) }).slice(0, 6000);
  } catch {
    return stdout.slice(0, 2000);
  }
}

async function inflict(database: TestDatabase, round: Round): Promise<void> {
  const outside = { schema: OUTSIDE, names: round.damages[0]?.names ?? [] };
  for (const { schema, names } of [...round.damages, outside])
    for (const name of names)
      for (const sql of damageStatements(name, schema)) {
        try {
          await database.query(sql);
        } catch (error) {
          // What an earlier damage took away already.
          if (!['42704', '42P01', '42703', '42P07'].includes((error as { readonly code?: string }).code ?? ''))
            throw error;
        }
      }
}

type Evidence = Awaited<ReturnType<typeof evidence>>;

async function evidence(database: TestDatabase) {
  const rows = [];
  for (const schema of [...TENANTS, WHOLE, OUTSIDE])
    rows.push({ schema, tables: await rowsOf(database, schema, await tablesOf(database, schema)) });
  const marks = { [WHOLE]: await catalogMark(database, WHOLE), [OUTSIDE]: await catalogMark(database, OUTSIDE) };
  return { rows, marks };
}

async function expectConverged(database: TestDatabase): Promise<void> {
  const plan = await runProgram(['plan', '--detailed-exitcode', ...targetFlags(database.urlFor(APPLIER))]);
  if (plan.code !== 0) throw new Error(`plan ends with ${plan.code}\n${plan.stdout.slice(0, 6000)}`);
  // What stands outside the fleet stays as it was damaged.
  expect((await leftovers(database)).filter((line) => !line.includes(OUTSIDE))).toEqual([]);
  const whole = await catalogOf(database, WHOLE);
  for (const schema of COMPARED) expect(await catalogOf(database, schema), schema).toEqual(whole);
}

async function expectNothingLost(database: TestDatabase, before: Evidence): Promise<void> {
  for (const { schema, tables } of before.rows) expect(await rowsOf(database, schema, tables), schema).toEqual(tables);
  for (const [schema, mark] of Object.entries(before.marks))
    expect(await catalogMark(database, schema), schema).toBe(mark);
}

/** Every change names exactly one tenant of the fleet, and none that is not damaged; nothing at all names the one outside. */
function expectOnlyTenants(log: readonly LogEntry[]): void {
  const statements = statementsOfUser(log, APPLIER).map(({ sql }) => sql);
  const changes = statements.filter(changesSomething);
  expect(changes.length).toBeGreaterThan(0);
  const known = /\bchaos_(?:t\d\d|whole|outside)\b/gu;
  for (const sql of changes) {
    const named = [...new Set(sql.match(known) ?? [])];
    expect({ sql, named, count: named.length }).toEqual({ sql, named, count: 1 });
    expect(TENANTS, sql).toContain(named[0]);
  }
  expect(statements.filter((sql) => sql.includes(OUTSIDE))).toEqual([]);
  expect(log.filter((entry) => entry.message.includes('deadlock detected'))).toEqual([]);
}
