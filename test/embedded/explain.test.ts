import { afterAll, beforeAll, expect, it } from 'vitest';
import { explainFleet } from '../../src/explain/explain-fleet.js';
import { DEFAULT_STATEMENT_TIMEOUT } from '../../src/explain/request.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { insertBank, memberName } from '../support/banks.js';
import { type FleetUnderTest, loadShipped, openFleet } from '../support/fleet.js';

const LOAD = { phases: ['base', 'vector'], parameters: { embedding_dimension: '4' } };

let fleet: FleetUnderTest;
beforeAll(async () => {
  fleet = await openFleet(null);
});
afterAll(() => fleet?.close());

async function run(sql: string): Promise<void> {
  const session = await fleet.database.connect();
  try {
    await session.query(sql);
  } finally {
    await session.close();
  }
}

async function explain(schemas: readonly string[], settings: Readonly<Record<string, string>>) {
  const desired = await loadShipped({ load: LOAD });
  return explainFleet(fleet.database, {
    desired: { ...desired, probes: desired.probes.map((probe) => ({ ...probe, settings })) },
    selection: { schemas, exclude: [], allowEmpty: false, allowAbsent: false },
    probes: [],
    values: {},
    hypothetical: true,
    analyze: false,
    statementTimeout: DEFAULT_STATEMENT_TIMEOUT,
    progress: NO_PROGRESS,
  });
}

it('explains on the one session of an embedded PostgreSQL, with and without a stale global index', async () => {
  await fleet.provision(['t1'], { load: LOAD });
  await run(insertBank('t1', 1, 'b1'));
  await fleet.apply({ load: LOAD });
  await run(`INSERT INTO t1.memory_units (bank_id, text, fact_type, embedding)
    SELECT 'b1', 'm', 'world', ARRAY[n, n % 7, n % 3, 1]::public.vector FROM generate_series(1, 50) n`);
  await run('CREATE INDEX stale ON t1.memory_units USING hnsw (embedding public.vector_cosine_ops)');
  const { results } = await explain([], { enable_seqscan: 'off', enable_sort: 'off' });
  expect(results).toMatchObject([
    {
      schema: 't1',
      verdict: 'member',
      stale: [{ name: 'stale' }],
      without: { verdict: 'member', used: [{ name: memberName('worl', 1) }] },
    },
  ]);
  expect(
    (await fleet.plan({ load: LOAD })).databases[0]?.tenants[0]?.changes.map(({ change }) => change.object),
  ).toEqual(['stale']);
});

it('names a tenant in its remedies as a shell takes it', async () => {
  await run(`DROP INDEX t1.${memberName('worl', 1)}`);
  await run(`ALTER SCHEMA t1 RENAME TO "o'brien & co"`);
  await run('CREATE SCHEMA "$(id)"');
  const { results } = await explain(["o'brien & co", '$(id)'], { enable_seqscan: 'off', enable_sort: 'off' });
  expect(results.map(({ verdict, remedy }) => [verdict, remedy])).toEqual([
    ['global-post-filter', String.raw`build it: trueup apply --schema 'o'\''brien & co' --phase vector`],
    ['unreadable', "see what differs: trueup plan --schema '$(id)'"],
  ]);
});
