import { expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
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

it.each([
  ['a view', 'CREATE VIEW S.more AS SELECT kind FROM S.summary', 'view more'],
  [
    'a view of another schema that names no column',
    'CREATE SCHEMA of_S; CREATE VIEW of_S.more AS SELECT count(*) FROM S.summary',
    'view more',
  ],
  [
    'a function',
    'CREATE FUNCTION S.most() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT max(kind) FROM S.summary; END',
    'function most',
  ],
  [
    'a function of its rows',
    "CREATE FUNCTION S.every() RETURNS SETOF S.summary LANGUAGE sql AS 'SELECT * FROM S.summary'",
    'function every',
  ],
  ['a column of its rows', 'CREATE TABLE S.kept (rows S.summary[])', 'column rows of kept'],
])('a materialized view with another query is not replaced under %s', async (what, made, user) => {
  const schema = `under_${what.replace(/\W/gu, '_')}`;
  const options = { directory, schemas: [schema] };
  await on.fleet.provision([schema], { directory });
  await on.database.exec(
    `DROP MATERIALIZED VIEW S.summary; CREATE MATERIALIZED VIEW S.summary AS SELECT kind, 1 AS items FROM S.items; ${made}`
      .replaceAll('of_S', `of_${schema}`)
      .replaceAll(/\bS\./gu, `${schema}.`),
  );
  const [replaced, index] = itemsOf(await on.fleet.plan(options), schema).map(({ change }) => change);
  expect(replaced).toMatchObject({
    action: 'replace-materialized-view',
    status: 'blocked',
    obstacle: `${user} depends on it, and PostgreSQL refuses to change it under them`,
    remedy: 'drop what depends on it, apply, and make it again',
  });
  expect(index?.status).toBe('blocked');
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'blocked', error: null }]);
});
