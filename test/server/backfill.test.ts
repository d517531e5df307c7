import { expect, it } from 'vitest';
import { writeDesiredState } from '../support/desired-state-fixture.js';
import { changesOf, openFleet } from '../support/fleet.js';
import { createTestDatabase } from '../support/test-database.js';

const state = (columns: string) => ({
  'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
  'base.yaml': `tables: { items: { columns: { id: int, ${columns} } } }`,
});

it('C9: a default that differs from row to row is given to old rows in batches, and one that is NULL ends all the same', async () => {
  const database = await createTestDatabase();
  const fleet = await openFleet(database.url);
  try {
    await database.exec(
      'CREATE SCHEMA t1; CREATE TABLE t1.items (id int); INSERT INTO t1.items SELECT generate_series(1, 4500)',
    );
    const directory = writeDesiredState(
      state(
        `token: { type: uuid, default: gen_random_uuid(), nullable: false }, who: { type: text, default: "current_setting('app.who', true)" }`,
      ),
      {},
    );
    const outcome = await fleet.apply({ directory });
    expect(outcome.tenants.map(({ outcome: end, error }) => [end, error])).toEqual([['converged', null]]);
    expect(
      await database.query('SELECT count(DISTINCT token)::int AS tokens, count(who)::int AS named FROM t1.items'),
    ).toEqual([{ tokens: 4500, named: 0 }]);
    expect(changesOf(await fleet.plan({ directory }), 't1')).toEqual([]);
  } finally {
    await fleet.close();
    await database.drop();
  }
});
