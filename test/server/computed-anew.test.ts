import { expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

const state = (columns: string) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [sales] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  sales:
    columns: { ${columns} }
    unique: [{ name: sales_number, columns: [number] }]
    indexes: [{ name: sales_total, keys: [total, number] }]
`,
  });
const BEFORE = state('number: int, price: int, total: { type: int, generated: number * price }');
const AFTER = state('number: bigint, price: bigint, total: { type: bigint, generated: number + price }');

it('a generated column that comes anew goes before what it is computed from, where the table has no rows', async () => {
  await on.fleet.provision(['empty'], { directory: BEFORE });
  const options = { directory: AFTER, schemas: ['empty'] };
  expect(changesOf(await on.fleet.plan(options), 'empty')).toEqual([
    'alter-column sales.number pending',
    'replace-column sales.price pending',
    'replace-column sales.total pending',
    'create-index sales.sales_total pending',
  ]);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  expect(changesOf(await on.fleet.plan(options), 'empty')).toEqual([]);
});

it('and also where it is no longer computed from that', async () => {
  await on.fleet.provision(['turned'], {
    directory: state('number: int, price: int, total: { type: int, generated: price * 2 }'),
  });
  const directory = state('number: int, price: bigint, total: { type: int, generated: number * 2 }');
  const { tenants } = await on.fleet.apply({ directory, schemas: ['turned'] });
  expect(tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});

it('but not before a foreign key onto it, which goes with its own column', async () => {
  const tree = (columns: string, sale: string, keys: string, references: string) =>
    temporaryDesiredState({
      'fleet.yaml': 'version: 1\ntenants: { having_tables: [sales, lines] }\nphases: [{ name: base, file: base.yaml }]',
      'base.yaml': `
tables:
  sales: { columns: { ${columns} }${keys} }
  lines: { columns: { sale: ${sale} }${references} }
`,
    });
  const before = tree(
    'price: int, total: { type: int, generated: price * 2 }',
    'int',
    ', unique: [{ name: sales_total, columns: [total] }]',
    ', foreign_keys: [{ name: lines_sale, columns: [sale], references: { table: sales, columns: [total] } }]',
  );
  await on.fleet.provision(['referenced'], { directory: before });
  const directory = tree('price: bigint, total: { type: bigint, generated: price * 3 }', 'text', '', '');
  const options = { directory, schemas: ['referenced'] };
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  expect(changesOf(await on.fleet.plan(options), 'referenced')).toEqual([]);
});

it('what refuses it refuses both', async () => {
  await on.fleet.provision(['seen'], { directory: BEFORE });
  await on.database.exec('CREATE VIEW seen.totals AS SELECT total FROM seen.sales');
  const changes = itemsOf(await on.fleet.plan({ directory: AFTER, schemas: ['seen'] }), 'seen').map(
    ({ change }) => change,
  );
  expect(changes.filter(({ status }) => status !== 'blocked')).toEqual([]);
  expect(changes.map(({ obstacle }) => obstacle)).toEqual(
    changes.map(() => expect.stringContaining('view totals depends on the column')),
  );
});

it('and what keeps it from coming again keeps it where it is', async () => {
  await on.fleet.provision(['kept'], {
    directory: state('number: int, price: int, total: { type: int, generated: price * 2 }'),
  });
  await on.database.exec('CREATE VIEW kept.numbers AS SELECT number FROM kept.sales');
  const options = {
    directory: state('number: text, price: bigint, total: { type: int, generated: length(number) }'),
    schemas: ['kept'],
  };
  const refused = [
    'replace-column sales.number blocked',
    'replace-column sales.price blocked',
    'replace-column sales.total blocked',
  ];
  expect(changesOf(await on.fleet.plan(options), 'kept')).toEqual(refused);
  on.fleet.forget();
  await on.fleet.apply(options);
  expect(on.fleet.statements.filter((sql) => sql.includes('ALTER TABLE'))).toEqual([]);
  expect(changesOf(await on.fleet.plan(options), 'kept')).toEqual(refused);
});

it('what stands on one that stays gives up its name by itself', async () => {
  const orders = (price: string, over: string) =>
    temporaryDesiredState({
      'fleet.yaml': 'version: 1\ntenants: { having_tables: [orders] }\nphases: [{ name: base, file: base.yaml }]',
      'base.yaml': `
tables:
  orders:
    columns:
      number: int
      price: ${price}
      total: { type: ${price}, generated: price * 2 }
      half: { type: int, generated: price / 2 }
    unique: [{ name: orders_one, columns: [${over}] }]
    indexes: [{ name: orders_two, keys: [${over}] }]
`,
    });
  await on.fleet.provision(['moved'], { directory: orders('int', 'total') });
  // It would have half computed from a bigint: a generated column that stays as it is refuses that.
  const options = { directory: orders('bigint', 'number'), schemas: ['moved'] };
  const refused = ['replace-column orders.price blocked', 'replace-column orders.total blocked'];
  expect(changesOf(await on.fleet.plan(options), 'moved')).toEqual([
    ...refused,
    'replace-constraint orders.orders_one pending',
    'rebuild-index orders.orders_two pending',
  ]);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'partial', error: null }]);
  expect(changesOf(await on.fleet.plan(options), 'moved')).toEqual(refused);
});

it('and rows refuse all of it', async () => {
  await on.fleet.provision(['held'], { directory: BEFORE });
  await on.database.exec('INSERT INTO held.sales VALUES (1, 2)');
  expect(changesOf(await on.fleet.plan({ directory: AFTER, schemas: ['held'] }), 'held')).toEqual([
    'alter-column sales.number blocked',
    'replace-column sales.price blocked',
    'replace-column sales.total blocked',
  ]);
});
