import { afterEach, expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const directory = temporaryDesiredState({
  'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
  'base.yaml': `
tables:
  items:
    columns:
      id: { type: bigint, nullable: false }
      code: text
      words: { type: text, generated: upper(code) }
      stock: { type: int, nullable: false }
    primary_key: { name: items_pkey, columns: [id] }
    unique: [{ name: items_code_key, columns: [code] }]
`,
});
const on = fleetOnServer();
const options = { directory, schemas: ['acme'], allow: ['rebuild-column'] } as const;
afterEach(() => on.database.exec('DROP SCHEMA IF EXISTS acme CASCADE'));

const damaged = async (sql: string) => {
  await on.fleet.provision(['acme'], { directory });
  await on.database.exec(`SET search_path = acme; ${sql}; RESET search_path`);
};

const SWAPPED = `ALTER TABLE items DROP CONSTRAINT items_pkey, DROP CONSTRAINT items_code_key;
  ALTER TABLE items ADD CONSTRAINT items_code_key PRIMARY KEY (id), ADD CONSTRAINT items_pkey UNIQUE (code)`;

it.each([
  ['two keys that have each other’s names', SWAPPED],
  [
    'a primary key that nothing declares, beside another key of its name',
    `${SWAPPED}; ALTER TABLE items RENAME CONSTRAINT items_code_key TO stray`,
  ],
  [
    'a column of an array under a key, with an index of gin',
    `ALTER TABLE items DROP COLUMN words, ALTER code TYPE text[] USING NULL; CREATE INDEX stray ON items USING gin (code)`,
  ],
])('one apply mends %s', async (_, sql) => {
  await damaged(sql);
  expect((await on.fleet.apply(options)).tenants.map(({ outcome, error }) => [outcome, error])).toEqual([
    ['converged', null],
  ]);
  expect(changesOf(await on.fleet.plan(options), 'acme')).toEqual([]);
});

it.each([
  ['is computed', "DROP COLUMN stock, ADD stock text GENERATED ALWAYS AS ('x') STORED"],
  ['has no value', 'DROP COLUMN stock, ADD stock text'],
])('a NOT NULL column that nothing fills is refused where the one before it %s, approved or not', async (_, as) => {
  await damaged(`ALTER TABLE items ${as}; INSERT INTO items (id) VALUES (1)`);
  const outcome = await on.fleet.apply(options);
  expect(outcome.tenants.map((tenant) => [tenant.outcome, tenant.error])).toEqual([['blocked', null]]);
  expect(itemsOf(await on.fleet.plan(options), 'acme').map(({ change }) => change)).toMatchObject([
    { action: 'replace-column', object: 'stock', obstacle: expect.stringContaining('has no value for them') },
  ]);
});

it('what is computed from a column that is refused is refused with it', async () => {
  await damaged(`ALTER TABLE items DROP CONSTRAINT items_code_key, DROP COLUMN words, ALTER code TYPE int USING NULL;
    ALTER TABLE items ADD words int GENERATED ALWAYS AS (1) STORED; CREATE VIEW seen AS SELECT code FROM items`);
  expect((await on.fleet.apply(options)).tenants.map(({ outcome, error }) => [outcome, error])).toEqual([
    ['blocked', null],
  ]);
  expect(itemsOf(await on.fleet.plan(options), 'acme').map(({ change }) => change)).toMatchObject([
    { object: 'code', obstacle: expect.stringContaining('view') },
    { object: 'words', obstacle: expect.stringContaining('waits for replace-column code') },
    { object: 'items_code_key', obstacle: expect.stringContaining('waits for replace-column code') },
  ]);
});
