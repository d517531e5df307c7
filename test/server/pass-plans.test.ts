import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANY_TENANTS, CATALOG_SETTINGS } from '../../src/catalog/shared-snapshot.js';
import { loadDesiredState } from '../../src/desired-state/load.js';
import { type LoadOptions, openDatabase, resolveTarget } from '../../src/index.js';
import { planFleet } from '../../src/plan/plan-fleet.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { buildFleet, planTenant } from '../bench/build-fleet.js';
import { loadShipped, SHIPPED } from '../bench/shipped.js';
import { analyzed, nodesOf, type PlanNode, scansBeyond } from '../support/plan-nodes.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const TENANTS = 60;

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
  const tenantStatements = await planTenant(test.url, await loadShipped());
  await buildFleet({ url: test.url, tenantStatements, size: { tenants: TENANTS, banks: 3 }, advance: () => {} });
}, 120_000);
afterAll(() => test?.drop());

/** The statement that a plan passes over the catalogs with, and its parameters as SQL. */
async function passOf(phases: LoadOptions['phases'], schemas: readonly string[]) {
  const sent: { readonly sql: string; readonly parameters: readonly unknown[] }[] = [];
  const target = resolveTarget({ databaseUrl: test.url, environment: {}, variables: [] });
  const database = await openDatabase(target, { id: 'main', maxSessions: 2, observe: (one) => sent.push(one) });
  try {
    const desired = await loadDesiredState({
      ...{ directory: SHIPPED, environment: {}, backends: {}, parameters: {} },
      ...{ phases, skipExtensionPhases: false },
    });
    const selection = { schemas, exclude: [], allowEmpty: false, allowAbsent: false };
    const plan = await planFleet(database, { desired, selection, allow: new Set(), progress: NO_PROGRESS });
    const tenants = schemas.length || TENANTS;
    expect(plan.summary).toMatchObject({ tenants, inSync: tenants });
  } finally {
    await database.close();
  }
  const at = sent.findIndex(({ sql }) => sql.includes('\nrel as materialized'));
  const pass = sent[at];
  if (pass === undefined) throw new Error('no pass was seen');
  const isForAny = sent.slice(0, at).some(({ sql }) => sql.includes(ANY_TENANTS));
  const literal = (value: unknown) =>
    `'${(Array.isArray(value) ? `{${value.join(',')}}` : String(value)).replaceAll("'", "''")}'`;
  return { sql: pass.sql, parameters: pass.parameters.map(literal).join(', '), isForAny };
}

/** What holds a row a tenant, or more, and is gone through about once a tenant. */
const rescanned = (plan: PlanNode): readonly string[] =>
  nodesOf(plan).flatMap((node) => {
    const rows = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0);
    const isKept = node['Node Type'] === 'CTE Scan' || node['Node Type'] === 'Materialize';
    return isKept && rows >= TENANTS / 2 && node['Actual Loops'] >= TENANTS / 2
      ? [`${node['Node Type']} ${node['CTE Name'] ?? ''}: ${rows} rows, ${node['Actual Loops']} times`]
      : [];
  });

/** Hash tables that were made for a hundred thousand rows and more, which takes milliseconds however few come. */
const oversized = (plan: PlanNode): readonly string[] =>
  nodesOf(plan).flatMap((node) => {
    const buckets = node['Hash Buckets'] ?? 0;
    return buckets > 2 ** 16 ? [`${node['Node Type']}: ${buckets} buckets`] : [];
  });

const GROWING = ['pg_class', 'pg_index', 'pg_attribute', 'pg_constraint', 'pg_attrdef'];

/** Relations of a tenant with three banks, roughly: more than it has columns or constraints that are looked at. */
const OF_A_TENANT = 130;

describe.each([
  ['of all phases', null, []],
  ['of the extension phases', ['vector', 'text-search'], []],
  ['over one tenant', null, ['bench_00007']],
])('a pass %s', (_, phases, schemas) => {
  it.each([
    ['with the statistics of its catalogs', ''],
    ['with none', 'DELETE FROM pg_statistic'],
  ])(
    'goes through nothing once for each tenant, however it is planned, and makes no hash table for a fleet that is not there: %s',
    async (__, statistics) => {
      const pass = await passOf(phases, schemas);
      // A plan for these very tenants expects so many rows without statistics that one of 250 tenants took four times as long.
      expect(pass.isForAny).toBe(true);
      const client = await test.connect();
      try {
        await client.query('BEGIN');
        await client.query(statistics);
        await client.query(
          `SELECT ${CATALOG_SETTINGS}, set_config('search_path', '', true), set_config('jit', 'off', true)`,
        );
        await client.query(`PREPARE pass(oid[], name[], jsonb, int8) AS ${pass.sql}`);
        for (const mode of ['force_generic_plan', 'force_custom_plan']) {
          await client.query(`SET LOCAL plan_cache_mode = ${mode}`);
          const plan = await analyzed(client, `EXECUTE pass(${pass.parameters})`);
          expect(
            [
              ...rescanned(plan),
              ...(statistics === '' ? oversized(plan) : []),
              ...(schemas.length === 1 ? scansBeyond(plan, GROWING, 20 * OF_A_TENANT) : []),
            ],
            mode,
          ).toEqual([]);
        }
      } finally {
        await client.query('ROLLBACK');
        await client.end();
      }
    },
  );
});
