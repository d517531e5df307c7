import { expect, it } from 'vitest';
import { changesOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

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
const on = fleetOnServer();

it.each([
  ['renamed', 'ALTER TABLE S.items RENAME TO former'],
  ['moved to another schema', 'CREATE SCHEMA away; ALTER TABLE S.items SET SCHEMA away'],
])('a materialized view whose table was %s under it is made anew with the table, in one run', async (how, moving) => {
  const schema = how.slice(0, 5);
  await on.fleet.provision([schema], { directory });
  await on.database.exec(moving.replaceAll('S.', `${schema}.`));
  const options = { directory, schemas: [schema] };
  expect(changesOf(await on.fleet.plan(options), schema)).toEqual([
    'create-table items.items pending',
    'replace-materialized-view summary.summary pending',
    'create-index summary.summary_kind_idx pending',
  ]);
  expect((await on.fleet.apply(options)).summary).toMatchObject({ converged: 1 });
  expect(changesOf(await on.fleet.plan(options), schema)).toEqual([]);
});
