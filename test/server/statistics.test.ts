import { expect, it } from 'vitest';
import { itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

it('extended statistics that go with a column are named, in whatever schema they are', async () => {
  await on.database.exec(`CREATE SCHEMA t1; CREATE SCHEMA "Else"; CREATE TABLE t1.items (a int, b int, c int);
    CREATE STATISTICS t1.pair ON a, b FROM t1.items; CREATE STATISTICS "Else".sum ON (b + 1) FROM t1.items;
    CREATE STATISTICS t1.other ON a, c FROM t1.items`);
  const directory = temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': 'tables: { items: { columns: { a: int, b: uuid } } }',
  });
  const plan = await on.fleet.plan({ directory });
  expect(itemsOf(plan, 't1').map(({ change }) => change)).toMatchObject([
    {
      action: 'replace-column',
      reason:
        'type is integer, declared uuid; with it go statistics "Else".sum, statistics pair, which nothing declares',
    },
  ]);
  expect((await on.fleet.apply({ directory }, plan)).tenants).toMatchObject([{ outcome: 'converged' }]);
  const left = await on.database.query('SELECT stxname::text AS name FROM pg_statistic_ext');
  expect(left).toEqual([{ name: 'other' }]);
});

const retyped = temporaryDesiredState({
  'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
  'base.yaml': 'tables: { items: { columns: { a: int, b: uuid } } }',
});

it('so are exclusion constraints, sequences of the column, and what stands on it in a table that inherits it', async () => {
  await on.database.exec(`CREATE SCHEMA t2; CREATE TABLE t2.items (a int, b int, EXCLUDE USING btree (b WITH =));
    CREATE SEQUENCE t2.drawn OWNED BY t2.items.b; CREATE TABLE "Else".heir (c int) INHERITS (t2.items);
    CREATE INDEX heir_b ON "Else".heir (b); CREATE INDEX heir_c ON "Else".heir (c);
    ALTER TABLE "Else".heir ADD CONSTRAINT heir_key UNIQUE (b);
    CREATE TABLE t2.apart (a int, b int); CREATE INDEX apart_b ON t2.apart (b); ALTER TABLE t2.apart INHERIT t2.items`);
  const plan = await on.fleet.plan({ schemas: ['t2'], directory: retyped });
  expect(itemsOf(plan, 't2').map(({ change }) => change)).toMatchObject([
    {
      reason:
        'type is integer, declared uuid; with it go constraint heir_key of table "Else".heir, constraint items_b_excl, index heir_b of table "Else".heir, sequence drawn, which nothing declares',
    },
  ]);
});

it('a sequence that another column draws from keeps the column that owns it', async () => {
  await on.database.exec(`CREATE SCHEMA t3; CREATE TABLE t3.items (a int, b serial);
    CREATE TABLE t3.others (n int DEFAULT nextval('t3.items_b_seq'))`);
  const options = { schemas: ['t3'], directory: retyped };
  const plan = await on.fleet.plan(options);
  expect(itemsOf(plan, 't3').map(({ change }) => change)).toMatchObject([
    {
      status: 'blocked',
      obstacle:
        'the default of column n of others depends on the column, and PostgreSQL refuses to change it under them',
    },
  ]);
  await on.database.exec('ALTER TABLE t3.others ALTER n DROP DEFAULT');
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});
