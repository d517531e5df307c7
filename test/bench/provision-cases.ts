import { statementsOf } from '../../src/apply/statements.js';
import { applyFleet, type Database, type DesiredState, NO_PROGRESS, planFleet, runDefaults } from '../../src/index.js';
import { withClient } from './build-fleet.js';
import { type Case, timed } from './measure.js';
import { runTrueup } from './run-process.js';

/** New tenants in a full fleet, and what takes them away again. */
export interface Provisioning {
  readonly cases: readonly Case[];
  readonly drop: () => Promise<void>;
}

/**
 * A new tenant in a full fleet: by the command, in a program that has the library loaded and a connection open, and its
 * statements alone. Each under a name of its own, and none is dropped in between: ext4 without a journal passes over inodes
 * that were freed within the last minutes, which was a third of the time of a tenant that was made after another was dropped.
 */
export function provisionCases(url: string, database: Database, desired: DesiredState): Provisioning {
  const made: string[] = [];
  const next = () => {
    const schema = `bench_new_${made.length}`;
    made.push(schema);
    return schema;
  };
  const command = (at: string) =>
    runTrueup(['apply', '--yes', '--quiet', '--create-schema', '--schema', next(), '--database-url', at]);
  const cases: readonly Case[] = [
    { id: 'provision', label: 'apply --create-schema, one new tenant', tenants: 1, run: command },
    {
      id: 'provision-library',
      label: 'the same by the library, after start',
      tenants: 1,
      counted: false,
      run: () => timed(() => provision(database, desired, next())),
    },
    {
      id: 'provision-floor',
      label: 'its statements alone, in one message over an open connection',
      tenants: 1,
      counted: false,
      run: async () => {
        const script = await scriptOf(database, desired, next());
        return withClient(url, async (client) => {
          await client.query('SELECT 1');
          return timed(() => client.query(script));
        });
      },
    },
  ];
  const drop = () =>
    withClient(url, async (client) => {
      for (const schema of made) await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    });
  return { cases, drop };
}

const requestFor = (desired: DesiredState, schema: string) => ({
  desired,
  selection: { schemas: [schema], exclude: [], allowEmpty: false, allowAbsent: true },
  allow: new Set<never>(),
  progress: NO_PROGRESS,
  ...runDefaults(),
});

async function provision(database: Database, desired: DesiredState, schema: string): Promise<void> {
  const request = requestFor(desired, schema);
  const { summary } = await applyFleet(database, await planFleet(database, request), request);
  if (summary.converged !== 1) throw new Error(`the new tenant did not converge: ${JSON.stringify(summary)}`);
}

async function scriptOf(database: Database, desired: DesiredState, schema: string): Promise<string> {
  const { databases } = await planFleet(database, requestFor(desired, schema));
  const statements = databases
    .flatMap(({ tenants }) => tenants)
    .flatMap((tenant) =>
      tenant.changes
        .filter(({ change }) => change.status === 'pending')
        .flatMap((item) => statementsOf(item, tenant).map(({ sql }) => sql)),
    );
  return ['BEGIN', ...statements, 'COMMIT'].join(';\n');
}
