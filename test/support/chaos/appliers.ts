import { expect } from 'vitest';
import { APPLIER } from './fleet.js';
import { told } from './play.js';
import type { Ended } from './program.js';
import { changesSomething, type LogEntry, statementsOfUser } from './server-log.js';

/** What `apply --json` says of one tenant. */
interface TenantReport {
  readonly schema: string;
  readonly outcome: string;
  readonly changes: readonly { readonly result?: string }[];
}

/**
 * Nothing died of a deadlock, and no index was built twice, or by both. A build that failed (because it gave way) was not
 * built: it is tried again.
 */
export function expectNothingTwice(log: readonly LogEntry[]): void {
  const deadlocks = log.filter(({ message }) => message.includes('deadlock detected'));
  expect(deadlocks.map(({ application, message }) => `${application}: ${message}`)).toEqual([]);
  const built = new Map<string, string[]>();
  for (const { sql, application } of statementsOfUser(log, APPLIER)) {
    const index = builtBy(sql);
    if (application !== APPLICATION && index !== null) built.set(index, [...(built.get(index) ?? []), application]);
  }
  expect(built.size).toBeGreaterThan(0);
  // A statement that fails is printed once more, below its error.
  for (const { level, message, application } of log) {
    const index = level === 'STATEMENT' ? builtBy(message.trim()) : null;
    const by = index === null ? undefined : built.get(index);
    const at = by?.indexOf(application) ?? -1;
    if (at >= 0) by?.splice(at, 1);
  }
  expect([...built].filter(([, by]) => by.length > 1)).toEqual([]);
}

/** The index that a statement builds, its schema in front; null: it builds none. */
function builtBy(sql: string): string | null {
  const match = /^create (?:unique )?index (?:concurrently )?(?:if not exists )?(\S+) on (?:only )?(\w+)\./iu.exec(sql);
  return match === null ? null : `${match[2]}.${match[1]}`;
}

/** The name under which the application's own sessions go. */
export const APPLICATION = 'application';

/**
 * Both ended in sync, and each reports as converged the tenants that it sent changes to, and as in sync all others.
 * @param names the sessions' application names, in the order of `ends`
 */
export function expectTruthfulReports(
  ends: readonly Ended[],
  names: readonly string[],
  log: readonly LogEntry[],
): void {
  const statements = statementsOfUser(log, APPLIER);
  for (const [at, ended] of ends.entries()) {
    if (ended.code !== 0) throw new Error(`${names[at]} ended with ${told(ended)}`);
    const { summary, tenants } = JSON.parse(ended.stdout) as {
      readonly summary: { readonly tenants: number; readonly inSync: number; readonly converged: number };
      readonly tenants: readonly TenantReport[];
    };
    expect(summary.inSync + summary.converged).toBe(summary.tenants);
    const changed = new Set(
      statements
        .filter(({ application, sql }) => application === names[at] && changesSomething(sql))
        .flatMap(({ sql }) => sql.match(/\bchaos_\w+(?=\.)/u) ?? []),
    );
    expect(
      tenants
        .filter(({ outcome }) => outcome === 'converged')
        .map(({ schema }) => schema)
        .sort(),
      names[at],
    ).toEqual([...changed].sort());
  }
}
