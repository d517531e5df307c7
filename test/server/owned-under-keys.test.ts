import { afterEach, describe, expect, it } from 'vitest';
import { keyIndexName } from '../../src/diff/constraint-steps.js';
import { uniqueKey } from '../support/diff-fixture.js';
import { itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const options = {
  directory: temporaryDesiredState({
    'fleet.yaml': `
version: 1
tenants: { having_tables: [items] }
phases:
  - { name: base, file: base.yaml, owns: { columns: [label], methods: [btree] } }
`,
    'base.yaml': `
tables:
  items:
    columns: { label: text, note: text }
    unique: [{ name: items_label_key, columns: [label] }]
`,
  }),
};
const BUILT = keyIndexName(uniqueKey('items_label_key', ['label']));

const on = fleetOnServer();
afterEach(() => on.database.exec('DROP SCHEMA IF EXISTS t1 CASCADE'));

describe('an index that the phase owns, where a key is missing', () => {
  it.each([
    ['becomes the key’s own under its name', 'CREATE UNIQUE INDEX items_label_key', 'its index is there, without'],
    ['makes way when it is not the key’s', 'CREATE INDEX items_label_key', 'an index that is not the constraint’s'],
    ['is taken over when an interrupted run built it', `CREATE UNIQUE INDEX ${BUILT}`, 'an interrupted run has built'],
  ])('%s', async (_, create, reason) => {
    await on.fleet.provision(['t1'], options);
    await on.database.exec(`INSERT INTO t1.items VALUES ('a');
      ALTER TABLE t1.items DROP CONSTRAINT items_label_key; ${create} ON t1.items (label)`);
    expect(
      itemsOf(await on.fleet.plan(options), 't1').map(({ change }) => `${change.object}: ${change.reason}`),
    ).toEqual([expect.stringMatching(new RegExp(`^items_label_key: .*${reason}`, 'u'))]);
    const { tenants } = await on.fleet.apply(options);
    expect(tenants.map(({ outcome, error }) => [outcome, error])).toEqual([['converged', null]]);
    expect(itemsOf(await on.fleet.plan(options), 't1')).toEqual([]);
  });

  it('makes way once when the key stands under another name', async () => {
    await on.fleet.provision(['t1'], options);
    await on.database.exec(`ALTER TABLE t1.items RENAME CONSTRAINT items_label_key TO other;
      CREATE INDEX items_label_key ON t1.items (label)`);
    expect(itemsOf(await on.fleet.plan(options), 't1').map(({ change }) => change.action)).toEqual([
      'rename-constraint',
    ]);
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  });
});
