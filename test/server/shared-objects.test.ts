import { expect, it } from 'vitest';
import { changesOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

/** What all tenants share stands in a schema that is no tenant's and no extension's. */
const SHARED = `
  CREATE SCHEMA shared;
  CREATE TYPE shared.plan AS ENUM ('free', 'paid');
  CREATE SEQUENCE shared.numbers;
  CREATE FUNCTION shared.norm(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1)';`;

const directory = () =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [shops] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  shops:
    columns:
      id: { type: bigint, nullable: false, default: "nextval('shared.numbers'::regclass)" }
      name: text
      plan: { type: shared.plan, default: "'free'::shared.plan" }
      slug: { type: text, generated: shared.norm(name) }
    primary_key: { name: shops_pkey, columns: [id] }
    checks: [{ name: shops_name, expression: shared.norm(name) <> 'x' }]
    indexes:
      - { name: idx_shops_name, keys: [{ expression: shared.norm(name) }], where: "plan = 'paid'::shared.plan" }
materialized_views:
  paying:
    query: SELECT shared.norm(name) AS name FROM \${schema}.shops WHERE plan = 'paid'::shared.plan
`,
  });

it('types, functions and sequences that tenants share are named by a new tenant and by one that lost what names them', async () => {
  await on.database.query(SHARED);
  const options = { directory: directory(), schemas: ['shop_a'] };
  await on.fleet.provision(['shop_a'], options);
  await on.database.query(`
    DROP MATERIALIZED VIEW shop_a.paying;
    DROP INDEX shop_a.idx_shops_name;
    ALTER TABLE shop_a.shops DROP COLUMN plan, DROP COLUMN slug, DROP CONSTRAINT shops_name, ALTER id DROP DEFAULT`);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  expect(changesOf(await on.fleet.plan(options), 'shop_a')).toEqual([]);
});
