import { afterEach, beforeEach, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { writeShopsAndItems } from '../support/desired-state-fixture.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const state = (columns: string, more: string, views = ''): string =>
  writeShopsAndItems(`    columns: { shop: int, kind: int${columns} }
    foreign_keys:
      - { name: items_shop, columns: [shop], references: { table: shops, columns: [id] } }
${more}${views}`);

let database: TestDatabase;
let fleet: FleetUnderTest;
beforeEach(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
  await fleet.provision(['t'], { directory: state('', '') });
  fleet.forget();
});
afterEach(async () => {
  await fleet?.close();
  await database?.drop();
});

const isRemainder = (sql: string): boolean => sql.includes("set_config('lock_timeout', greatest(");

it('R6: a new column and a new index wait for no lock but their table’s, and spend no time on what is left of the budget', async () => {
  const holder = await database.connect();
  try {
    await holder.query('BEGIN; LOCK TABLE t.shops IN ACCESS EXCLUSIVE MODE');
    const directory = state(', note: text', '    indexes: [{ name: items_kind, keys: [kind] }]\n');
    const { summary, tenants } = await fleet.apply({ directory });
    expect([summary.converged, tenants[0]?.changes.map(({ item }) => item.change.action).sort()]).toEqual([
      1,
      ['add-column', 'create-index'],
    ]);
    expect(fleet.statements.filter((sql) => /^SET LOCAL lock_timeout/u.test(sql))).toHaveLength(1);
    expect(fleet.statements.filter(isRemainder)).toEqual([]);
    // Both rely on the table's being empty.
    expect(fleet.statements.filter((sql) => sql.startsWith('DO '))).toHaveLength(1);
  } finally {
    await holder.end();
  }
});

it('R6: a column that rewrites its table waits for the locks of its indexes no longer than what is left of the budget', async () => {
  await database.exec('INSERT INTO t.shops VALUES (1); INSERT INTO t.items VALUES (1, 2)');
  const twice = ', twice: { type: int, generated: kind * 2 }';
  const { summary } = await fleet.apply({ directory: state(twice, '') });
  expect(summary.converged).toBe(1);
  expect(fleet.statements.filter(isRemainder)).toHaveLength(1);
});

it('R6: a foreign key waits for the table that it refers to no longer than what its own table has left of the budget', async () => {
  await database.exec('ALTER TABLE t.items DROP CONSTRAINT items_shop');
  const { summary } = await fleet.apply({ directory: state(', note: text', '') });
  expect(summary.converged).toBe(1);
  const those = fleet.statements.filter((sql) => /^LOCK TABLE|^ALTER TABLE/u.test(sql) || isRemainder(sql));
  expect(those.map((sql) => (isRemainder(sql) ? 'REMAINDER' : sql.split(' ').slice(0, 5).join(' ')))).toEqual([
    'LOCK TABLE t.items IN ACCESS',
    'REMAINDER',
    'ALTER TABLE t.items ADD COLUMN',
    'ALTER TABLE t.items ADD CONSTRAINT',
  ]);
});

it('R6: an index of a materialized view, which LOCK TABLE does not lock, waits for it no longer than the budget', async () => {
  const withIndexes = (more: string) =>
    state(
      '',
      '',
      `materialized_views:
  totals:
    query: SELECT shop, count(*) AS n FROM items GROUP BY 1
    with_data: true
    indexes:
      - { name: totals_shop, unique: true, keys: [shop] }
${more}`,
    );
  await fleet.apply({ directory: withIndexes('') });
  const holder = await database.connect();
  try {
    await holder.query('BEGIN; REFRESH MATERIALIZED VIEW CONCURRENTLY t.totals');
    const limits = { ...DEFAULT_LIMITS, lockTimeout: 50, lockWait: 100, attempts: 1 };
    const { tenants } = await fleet.apply({
      directory: withIndexes('      - { name: totals_n, keys: [n] }\n'),
      run: { limits },
    });
    expect(tenants.map(({ outcome, error }) => [outcome, error?.sqlstate])).toEqual([['failed', '55P03']]);
  } finally {
    await holder.end();
  }
});
