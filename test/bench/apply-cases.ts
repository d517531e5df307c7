import { vacuumCatalogs, withClient } from './build-fleet.js';
import type { Case } from './measure.js';
import { psql } from './psql.js';
import { runTrueup } from './run-process.js';
import { shares } from './shares.js';
import { type FleetSize, tenantNames } from './tenants.js';
import { narrowingStatements } from './wider-state.js';

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
  const apply = (at: string, concurrency: number, ...more: readonly string[]) => {
    const how = ['--yes', '--quiet', '--concurrency', String(concurrency), ...more];
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
        const { log, peakMemory } = await apply(at, concurrency, '--log-level', 'info', '--log-format', 'json');
        return { seconds: secondsBetween(log, 'run-started', 'run-finished'), peakMemory };
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

/** Between two events of a log of JSON lines. */
function secondsBetween(log: string, first: string, last: string): number {
  const events = log.split('\n').flatMap((line) => {
    const { event } = line === '' ? {} : (JSON.parse(line) as { readonly event?: { kind: string; time: string } });
    return event === undefined ? [] : [event];
  });
  const [from, to] = [first, last].map((kind) => events.find((event) => event.kind === kind)?.time);
  if (from === undefined || to === undefined) throw new Error(`no ${first} or no ${last} in the log of an apply`);
  return (Date.parse(to) - Date.parse(from)) / 1000;
}

/** Drops what an apply added, and tidies up the catalogs as autovacuum would. */
async function takeBack(url: string, schemas: readonly string[]): Promise<void> {
  await withClient(url, async (client) => {
    for (let first = 0; first < schemas.length; first += RESTORED_AT_ONCE) {
      const batch = schemas.slice(first, first + RESTORED_AT_ONCE);
      await client.query(batch.flatMap(narrowingStatements).join(';\n'));
    }
  });
  await vacuumCatalogs(url);
}
