import { vacuumCatalogs, withClient } from './build-fleet.js';
import type { Case } from './measure.js';
import { psql } from './psql.js';
import { type Finished, runTrueup } from './run-process.js';
import { shares } from './shares.js';
import { type FleetSize, tenantNames } from './tenants.js';
import { FORGETTING_STATEMENTS, narrowingStatements } from './wider-state.js';

const CONCURRENCIES = [1, 4];

/** Tenants that are put back in one transaction: it holds a handful of locks for each. */
const RESTORED_AT_ONCE = 100;

/**
 * Apply of one new index and one new column to every tenant, beside psql with the very statements that the plan gives, in
 * equal shares over as many connections.
 */
export async function applyCases(
  url: string,
  { size, bin, directory }: { readonly size: FleetSize; readonly bin: string | null; readonly directory: string },
): Promise<readonly Case[]> {
  const { tenants } = size;
  const restore = () => takeBack(url, tenantNames(size));
  const state = ['--desired-state', directory];
  const { output } = await runTrueup(['plan', '--sql', '--quiet', '--database-url', url, ...state]);
  const apply = (at: string, concurrency: number) => {
    const how = ['--yes', '--quiet', '--concurrency', String(concurrency)];
    return runTrueup(['apply', ...how, '--database-url', at, ...state]);
  };
  return CONCURRENCIES.flatMap((concurrency): readonly Case[] => [
    {
      id: `apply-${concurrency}`,
      label: `apply --concurrency ${concurrency}, an index and a column`,
      tenants,
      restore,
      run: (at) => apply(at, concurrency),
    },
    {
      id: `applying-${concurrency}`,
      label: 'of such a run, from the end of its plan',
      tenants,
      restore,
      counted: false,
      run: async (at) => {
        const finished = await apply(at, concurrency);
        const seconds = secondsBetween(finished, 'trueup run-started', 'trueup run-finished');
        return { seconds, peakMemory: finished.peakMemory };
      },
    },
    {
      id: `apply-floor-${concurrency}`,
      label: `psql over ${concurrency === 1 ? '1 connection' : `${concurrency} connections`}, the same statements`,
      tenants,
      restore,
      run: async (at) => {
        const began = performance.now();
        await Promise.all(shares(output, concurrency).map((script) => psql(bin, at, script)));
        return { seconds: (performance.now() - began) / 1000, peakMemory: null };
      },
    },
  ]);
}

/** Between two marks of a process's timeline: a log of the events would take time of its own. */
function secondsBetween({ marks }: Finished, first: string, last: string): number {
  const [from, to] = [marks.get(first), marks.get(last)];
  if (from === undefined || to === undefined) throw new Error(`no ${first} or no ${last} on the timeline of an apply`);
  return (to - from) / 1000;
}

/** Takes away what an apply added, without a trace, and tidies up the catalogs as autovacuum would. */
export async function takeBack(url: string, schemas: readonly string[]): Promise<void> {
  await withClient(url, async (client) => {
    for (let first = 0; first < schemas.length; first += RESTORED_AT_ONCE) {
      const batch = schemas.slice(first, first + RESTORED_AT_ONCE);
      await client.query(narrowingStatements(batch).join(';\n'));
    }
    const { rows } = await client.query<{ superuser: boolean }>(
      'SELECT rolsuper superuser FROM pg_roles WHERE rolname = current_user',
    );
    if (rows[0]?.superuser === true)
      for (const statement of FORGETTING_STATEMENTS) await client.query(statement, [schemas]);
  });
  await vacuumCatalogs(url);
}
