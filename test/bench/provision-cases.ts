import { applyFleet, type Database, type DesiredState, NO_PROGRESS, planFleet, runDefaults } from '../../src/index.js';
import { withClient } from './build-fleet.js';
import { type Case, timed } from './measure.js';
import { runTrueup } from './run-process.js';

const SCHEMA = 'bench_new';

/** A new tenant in a full fleet: by the command, and in a program that has the library loaded and a session open. */
export function provisionCases(url: string, database: Database, desired: DesiredState): readonly Case[] {
  const restore = () => withClient(url, async (client) => void (await client.query(`DROP SCHEMA ${SCHEMA} CASCADE`)));
  return [
    {
      id: 'provision',
      label: 'apply --create-schema, one new tenant',
      tenants: 1,
      restore,
      run: (at) =>
        runTrueup(['apply', '--yes', '--quiet', '--create-schema', '--schema', SCHEMA, '--database-url', at]),
    },
    {
      id: 'provision-library',
      label: 'the same by the library, after start',
      tenants: 1,
      restore,
      counted: false,
      run: () => timed(() => provision(database, desired)),
    },
  ];
}

async function provision(database: Database, desired: DesiredState): Promise<void> {
  const selection = { schemas: [SCHEMA], exclude: [], allowEmpty: false, allowAbsent: true };
  const request = { desired, selection, allow: new Set<never>(), progress: NO_PROGRESS, ...runDefaults() };
  const { summary } = await applyFleet(database, await planFleet(database, request), request);
  if (summary.converged !== 1) throw new Error(`the new tenant did not converge: ${JSON.stringify(summary)}`);
}
