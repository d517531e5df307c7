import { afterAll, beforeAll, expect, it } from 'vitest';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const directory = temporaryDesiredState({
  'fleet.yaml': 'version: 1\ntenants: { having_tables: [owners] }\nphases: [{ name: base, file: base.yaml }]',
  'base.yaml': `
tables:
  owners: { columns: { id: { type: bigint, nullable: false } } }
  items: { columns: { id: { type: bigint, nullable: false }, kind: text } }
materialized_views:
  summary:
    query: SELECT kind, count(*) AS items FROM \${schema}.items GROUP BY kind
    with_data: true
    indexes: [{ name: summary_kind_idx, unique: true, keys: [kind] }]
`,
});
let database: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
});
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
});

it.each([
  ['renamed', 'ALTER TABLE S.items RENAME TO former'],
  ['moved to another schema', 'CREATE SCHEMA away; ALTER TABLE S.items SET SCHEMA away'],
])('a materialized view whose table was %s under it is made anew with the table, in one run', async (how, moving) => {
  const schema = how.slice(0, 5);
  await fleet.provision([schema], { directory });
  await database.exec(moving.replaceAll('S.', `${schema}.`));
  const options = { directory, schemas: [schema] };
  expect(changesOf(await fleet.plan(options), schema)).toEqual([
    'create-table items.items pending',
    'replace-materialized-view summary.summary pending',
    'create-index summary.summary_kind_idx pending',
  ]);
  expect((await fleet.apply(options)).summary).toMatchObject({ converged: 1 });
  expect(changesOf(await fleet.plan(options), schema)).toEqual([]);
});
