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
