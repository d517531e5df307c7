import { expect, it } from 'vitest';
import { changesOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const FLEET = `
version: 1
tenants: { having_tables: [items] }
phases: [{ name: base, file: base.yaml, owns: { columns: [price], methods: [btree] } }]
`;
const BASE = `
tables:
  shops:
    columns: { name: { type: text, nullable: false } }
    primary_key: { name: shops_pkey, columns: [name] }
  items:
    columns: { shop: text, price: integer }
    index_families:
      - name: "items_by_\${shop.name}"
        for_each: { shop: { table: shops, values: { name: name } } }
        keys: [price]
        where: "shop = \${shop.name}"
      - name: "items_of_\${shop.name}"
        for_each: { shop: { table: dear, values: { name: name } } }
        keys: [price]
        where: "shop = \${shop.name}"
materialized_views:
  dear: { query: "SELECT shop AS name FROM \${schema}.items WHERE price > 9 GROUP BY shop" }
`;

const on = fleetOnServer();
const directory = temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE });

it.each([
  ['table', 'lost_table', 'DROP TABLE S.shops; CREATE INDEX items_by_gone ON S.items (price)', []],
  ['view', 'lost_view', 'DROP MATERIALIZED VIEW S.dear', ['items_of_x']],
  [
    'query',
    'other_query',
    'DROP MATERIALIZED VIEW S.dear; CREATE MATERIALIZED VIEW S.dear AS SELECT shop AS name FROM S.items WHERE price > 99 GROUP BY shop',
    ['items_of_x'],
  ],
])(
  'a tenant that gets the %s which a family’s rows come from has the right members when it is called converged',
  async (_, schema, damage, members) => {
    const options = { directory, schemas: [schema] };
    await on.fleet.provision([schema], options);
    await on.database.exec(damage.replaceAll('S.', `${schema}.`));
    if (members.length > 0) await on.database.exec(`INSERT INTO ${schema}.items VALUES ('x', 10)`);
    expect((await on.fleet.apply(options)).summary).toMatchObject({ converged: 1 });
    expect(changesOf(await on.fleet.plan(options), schema)).toEqual([]);
    const found = await on.database.query<{ name: string }>(
      `SELECT indexname::text AS name FROM pg_indexes WHERE schemaname = $1 AND tablename = 'items'`,
      [schema],
    );
    expect(found.map(({ name }) => name)).toEqual(members);
  },
);

it('a row whose value in the name is the empty text has a member as any other, which goes with the row', async () => {
  const options = { directory, schemas: ['unnamed'] };
  await on.fleet.provision(options.schemas, options);
  await on.database.exec("INSERT INTO unnamed.shops VALUES ('')");
  for (const rowIsThere of [true, false]) {
    if (!rowIsThere) await on.database.exec('DELETE FROM unnamed.shops');
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
    expect(changesOf(await on.fleet.plan(options), 'unnamed')).toEqual([]);
    const found = await on.database.query(`SELECT FROM pg_class WHERE oid = to_regclass('unnamed.items_by_')`);
    expect(found).toHaveLength(rowIsThere ? 1 : 0);
  }
});
