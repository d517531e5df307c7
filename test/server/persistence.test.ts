import { expect, it } from 'vitest';
import { changesOf } from '../support/fleet.js';
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
