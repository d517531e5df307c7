import { createHash } from 'node:crypto';
import { quoteLiteral } from '../../src/sql/quote.js';
import { temporaryDesiredState } from './library.js';

const FLEET = `
version: 1
tenants: { having_tables: [shops, items] }
phases:
  - { name: base, file: base.yaml }
  - name: search
    extension: true
    file: search.yaml
    owns: { columns: [body], methods: [gin, hash, btree] }
    keep: ['kept\\_%']
`;
const BASE = `
tables:
  shops:
    columns: { id: { type: text, nullable: false }, no: { type: integer, nullable: false } }
    primary_key: { name: shops_pkey, columns: [id] }
  items:
    columns: { shop: text, shop_no: integer, kind: text, body: jsonb }
  orders:
    columns: { shop_no: integer, body: jsonb }
`;
/** Predicates of strings, with a list, and of bare numbers, with a constant of their own. */
const SEARCH = `
tables:
  items:
    index_families:
      - name: "items_\${kind.code}_\${shop.code}"
        for_each:
          shop: { table: shops, values: { id: id, code: "left(md5(id), 8)" } }
          kind: [{ value: old, code: o }, { value: new, code: n }]
        method: gin
        keys: [{ column: body, opclass: jsonb_path_ops }]
        where: "kind = \${kind.value} AND shop = \${shop.id}"
  orders:
    index_families:
      - name: "orders_\${shop.no}"
        for_each: { shop: { table: shops, values: { no: no } } }
        method: gin
        keys: [body]
        where: "shop_no = \${shop.no} AND body IS NOT NULL AND shop_no > 0"
`;

/** A desired state with two families that are generated from the rows of one table. Any server holds it: no extension. */
export const shopState = (): string =>
  temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE, 'search.yaml': SEARCH });

/** The name of a shop's member on `items`. */
export const itemsMember = (shop: string, kind: 'old' | 'new' = 'old'): string =>
  `items_${kind[0]}_${createHash('md5').update(shop).digest('hex').slice(0, 8)}`;

/** A member on `items` under any name, of any definition. */
export const itemsIndex = (
  schema: string,
  name: string,
  shop: string,
  {
    using = 'gin (body jsonb_path_ops)',
    where = `kind = 'old' AND shop = ${quoteLiteral(shop)}`,
  }: { readonly using?: string; readonly where?: string } = {},
): string => `CREATE INDEX "${name}" ON ${schema}.items USING ${using} WHERE ${where};`;

/** SQL of a tenant that is in sync, with one row and three members a shop. */
export function shopTenant(schema: string, shops: readonly string[]): string {
  const members = shops.flatMap((shop, at) => [
    `INSERT INTO ${schema}.shops VALUES (${quoteLiteral(shop)}, ${at + 1});`,
    itemsIndex(schema, itemsMember(shop, 'old'), shop),
    itemsIndex(schema, itemsMember(shop, 'new'), shop, {
      where: `kind = 'new' AND shop = ${quoteLiteral(shop)}`,
    }),
    `CREATE INDEX orders_${at + 1} ON ${schema}.orders USING gin (body) WHERE shop_no = ${at + 1} AND body IS NOT NULL AND shop_no > 0;`,
  ]);
  return [
    `CREATE SCHEMA ${schema};
     CREATE TABLE ${schema}.shops (id text NOT NULL, no integer NOT NULL, CONSTRAINT shops_pkey PRIMARY KEY (id));
     CREATE TABLE ${schema}.items (shop text, shop_no integer, kind text, body jsonb);
     CREATE TABLE ${schema}.orders (shop_no integer, body jsonb);`,
    ...members,
  ].join('\n');
}

/** An owned index that the files keep, and that no family names: its tenant's members are looked at one by one. */
export const keptIndex = (schema: string): string => `
  CREATE INDEX kept_items ON ${schema}.items USING gin (body);
  CREATE INDEX kept_orders ON ${schema}.orders USING gin (body);`;
