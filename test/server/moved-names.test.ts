import { afterEach, expect, it } from 'vitest';
import { changesOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const FLEET = `
version: 1
tenants: { having_tables: [first, second] }
phases:
  - { name: base, file: base.yaml, owns: { columns: [label], methods: [btree] } }
`;
const BASE = `
tables:
  first:
    columns: { id: { type: text, nullable: false }, label: text }
    primary_key: { name: first_pkey, columns: [id] }
    indexes: [{ name: first_label, keys: [label] }]
  second:
    columns: { id: { type: text, nullable: false }, label: text }
    primary_key: { name: second_pkey, columns: [id] }
    indexes: [{ name: second_label, keys: [label] }]
`;

const ROWS = `INSERT INTO t1.first VALUES ('a'); INSERT INTO t1.second VALUES ('a')`;

const on = fleetOnServer();
const options = { directory: temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE }) };
afterEach(() => on.database.exec('DROP SCHEMA IF EXISTS t1 CASCADE'));

it.each([
  {
    title: 'an index that nothing declares has left a name',
    sql: 'DROP INDEX t1.first_label; CREATE INDEX first_label ON t1.second (label, label)',
    changes: ['drop-index second.first_label pending', 'create-index first.first_label pending'],
  },
  {
    title: 'an index of another table has gone back to its own name',
    sql: 'DROP INDEX t1.first_label; ALTER INDEX t1.second_label RENAME TO first_label',
    changes: ['rename-index second.second_label pending', 'create-index first.first_label pending'],
  },
  {
    title: 'a key of another table has gone back to its own name',
    sql: `ALTER TABLE t1.first DROP CONSTRAINT first_pkey;
          ALTER TABLE t1.second RENAME CONSTRAINT second_pkey TO first_pkey`,
    changes: ['rename-constraint second.second_pkey pending', 'add-constraint first.first_pkey pending'],
  },
  {
    title: 'an index of another empty table has gone back to its own name',
    rows: '',
    sql: 'DROP INDEX t1.first_label; ALTER INDEX t1.second_label RENAME TO first_label',
    changes: ['rename-index second.second_label pending', 'create-index first.first_label pending'],
  },
])('what takes a name is made after $title', async ({ rows, sql, changes }) => {
  await on.fleet.provision(['t1'], options);
  await on.database.exec(`${rows ?? ROWS}; ${sql}`);
  expect.soft(changesOf(await on.fleet.plan(options), 't1')).toEqual(changes);
  const { tenants } = await on.fleet.apply(options);
  expect(tenants.map(({ outcome, error }) => [outcome, error])).toEqual([['converged', null]]);
  expect(changesOf(await on.fleet.plan(options), 't1')).toEqual([]);
});
