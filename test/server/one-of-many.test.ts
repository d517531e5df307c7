import type { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { type SmallFleet, smallFleet } from '../support/small-fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const TENANTS = 400;
/** More rows than one tenant has in any catalog, or PostgreSQL's own operator classes; fewer than its neighbours have of one name. */
const FEW = 200;

let test: TestDatabase;
let fleet: FleetUnderTest;
let files: SmallFleet;
beforeAll(async () => {
  test = await createTestDatabase();
  files = smallFleet();
  fleet = await openFleet(test.url);
  const made = (at: number) =>
    at < 2
      ? files.tenant(`t${at}`, at === 0 ? 50 : 0)
      : `${files.tenant(`t${at}`, 0)} CREATE INDEX notes_slow ON t${at}.notes (md5(repeat(body, 20000)));`;
  for (let from = 0; from < TENANTS; from += 100)
    await test.exec(Array.from({ length: 100 }, (_, at) => made(from + at)).join('\n'));
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
  files?.remove();
});

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

const GROWING = new Set(['pg_class', 'pg_namespace', 'pg_index', 'pg_attribute', 'pg_attrdef', 'pg_constraint']);
const READS = /^\s*(?:select|with)\s[\s\S]*\bpg_catalog\.pg_/iu;

const nodesOf = (node: PlanNode): readonly PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** What of the catalogs a statement went through, where that is more than one tenant has. */
async function through(
  client: Client,
  { sql, parameters }: FleetUnderTest['sent'][number],
): Promise<readonly string[]> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly [{ readonly Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`,
    [...parameters],
  );
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  return (plan === undefined ? [] : nodesOf(plan)).flatMap((node) => {
    const relation = node['Relation Name'] ?? '';
    const read = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    return GROWING.has(relation) && read > FEW
      ? [`${read} rows by ${node['Node Type']} on ${relation}: ${sql.trim().slice(0, 200)}`]
      : [];
  });
}

it('what is asked of tenants one by one, with an index built online, or in a transaction that somebody holds up, goes through no catalogs of their neighbours', async () => {
  const options = { directory: files.directory, schemas: ['t0'] };
  fleet.forget();
  expect((await fleet.apply(options)).summary).toMatchObject({ converged: 1 });
  const reader = await test.connect();
  try {
    await reader.query('BEGIN; LOCK TABLE t1.notes IN ROW EXCLUSIVE MODE');
    const limits = { ...DEFAULT_LIMITS, lockTimeout: 100, attempts: 1 };
    const held = await fleet.apply({ ...options, schemas: ['t1'], run: { limits } });
    expect(held.tenants).toMatchObject([{ outcome: 'failed', error: { message: expect.stringContaining('held by') } }]);
    const reads = new Map(fleet.sent.filter(({ sql }) => READS.test(sql)).map((one) => [one.sql, one]));
    expect(reads.size).toBeGreaterThan(10);
    // As in a new database, whose statistics are those of one without tenants; and as after a restore of it.
    for (const statistics of ['', 'DELETE FROM pg_statistic']) {
      await reader.query(`ROLLBACK; BEGIN; ${statistics}`);
      const found = [];
      for (const read of reads.values()) found.push(...(await through(reader, read)));
      expect(found, statistics).toEqual([]);
    }
  } finally {
    await reader.query('ROLLBACK');
    await reader.end();
  }
});
