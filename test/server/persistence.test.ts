import { expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

/** A table, and one that references it: a logged one may reference logged ones only. */
const tables = (unlogged: boolean) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [shops] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  shops:
    unlogged: ${unlogged}
    columns: { id: { type: int, nullable: false } }
    primary_key: { name: shops_pkey, columns: [id] }
  sales:
    unlogged: ${unlogged}
    columns: { shop: int }
    foreign_keys: [{ name: sales_shop, columns: [shop], references: { table: shops, columns: [id] } }]
`,
  });

it.each([
  { is: 'logged', declared: 'unlogged', first: 'sales', second: 'shops' },
  { is: 'unlogged', declared: 'logged', first: 'shops', second: 'sales' },
])('empty $is tables that are declared $declared become so, $first before $second', async (of) => {
  const schema = `${of.is}_tables`;
  await on.fleet.provision([schema], { directory: tables(of.is === 'unlogged') });
  const options = { directory: tables(of.declared === 'unlogged'), schemas: [schema] };
  expect(changesOf(await on.fleet.plan(options), schema)).toEqual(
    [of.first, of.second].map((table) => `alter-table ${table}.${table} pending`),
  );
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  expect(changesOf(await on.fleet.plan(options), schema)).toEqual([]);
});

it.each([
  {
    what: 'an undeclared table references it',
    is: 'logged',
    declared: 'unlogged',
    damage: 'CREATE TABLE S.other (shop int CONSTRAINT other_fkey REFERENCES S.shops)',
    change: 'shops',
    obstacle:
      'foreign key other_fkey of table other keeps it LOGGED: PostgreSQL refuses to make it UNLOGGED under that',
    remedy: 'drop what keeps it so, or make other UNLOGGED first, then apply',
    mended: 'ALTER TABLE S.other SET UNLOGGED',
  },
  {
    what: 'a table of another schema references it',
    is: 'logged',
    declared: 'unlogged',
    damage: 'CREATE SCHEMA "Else"; CREATE TABLE "Else".other (shop int CONSTRAINT other_fkey REFERENCES S.shops)',
    change: 'shops',
    obstacle:
      'foreign key other_fkey of table "Else".other keeps it LOGGED: PostgreSQL refuses to make it UNLOGGED under that',
    remedy: 'drop what keeps it so, then apply',
    mended: 'ALTER TABLE "Else".other DROP CONSTRAINT other_fkey',
  },
  {
    what: 'a publication names it',
    is: 'logged',
    declared: 'unlogged',
    damage: 'CREATE PUBLICATION of_shops FOR TABLE S.shops',
    change: 'shops',
    obstacle: 'publication of_shops keeps it LOGGED: PostgreSQL refuses to make it UNLOGGED under that',
    remedy: 'drop what keeps it so, then apply',
    mended: 'DROP PUBLICATION of_shops',
  },
  {
    what: 'it references an undeclared table',
    is: 'unlogged',
    declared: 'logged',
    damage: `CREATE UNLOGGED TABLE S.other (id int PRIMARY KEY);
      ALTER TABLE S.sales ADD CONSTRAINT sales_other FOREIGN KEY (shop) REFERENCES S.other`,
    change: 'sales',
    obstacle:
      'foreign key sales_other of table sales keeps it UNLOGGED: PostgreSQL refuses to make it LOGGED under that',
    remedy: 'drop what keeps it so, or make other LOGGED first, then apply',
    mended: 'ALTER TABLE S.other SET LOGGED',
  },
])('an empty $is table stays so where $what', async (of) => {
  const schema = of.what.replace(/\W/gu, '_');
  await on.fleet.provision([schema], { directory: tables(of.is === 'unlogged') });
  await on.database.exec(of.damage.replaceAll('S.', `${schema}.`));
  const options = { directory: tables(of.declared === 'unlogged'), schemas: [schema] };
  const changes = itemsOf(await on.fleet.plan(options), schema).map(({ change }) => change);
  expect(changes.find(({ table }) => table === of.change)).toMatchObject({
    status: 'blocked',
    obstacle: of.obstacle,
    remedy: of.remedy,
  });
  expect((await on.fleet.apply(options)).tenants.map(({ error }) => error)).toEqual([null]);
  await on.database.exec(of.mended.replaceAll('S.', `${schema}.`));
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  expect(changesOf(await on.fleet.plan(options), schema)).toEqual([]);
});

it('an empty table becomes unlogged under a foreign key of an undeclared table that is', async () => {
  const schema = 'unlogged_beside';
  await on.fleet.provision([schema], { directory: tables(false) });
  await on.database.exec(`CREATE UNLOGGED TABLE ${schema}.other (shop int REFERENCES ${schema}.shops)`);
  const outcome = await on.fleet.apply({ directory: tables(true), schemas: [schema] });
  expect(outcome.tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});
