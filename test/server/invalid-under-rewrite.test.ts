import { expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

const state = (columns: string) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [people] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `tables: { people: { columns: { name: text${columns} } } }`,
  });
const AFTER = state(', upper_name: { type: text, generated: upper(name) }');

/** A tenant whose rows are not unique, with what a build that failed has left under a name. */
async function withLeftover(schema: string, index: string): Promise<void> {
  await on.fleet.provision([schema], { directory: state('') });
  await on.database.exec(`INSERT INTO ${schema}.people VALUES ('Ann'), ('Ann')`);
  const build = on.database.exec(`CREATE UNIQUE INDEX CONCURRENTLY ${index} ON ${schema}.people (name)`);
  await expect(build).rejects.toThrow('could not create unique index');
}

it('a column for which the table is written anew waits until an INVALID unique index that no file knows is gone', async () => {
  await withLeftover('stray', 'people_by_hand');
  const options = { directory: AFTER, schemas: ['stray'] };
  const [item] = itemsOf(await on.fleet.plan(options), 'stray');
  expect(item?.change).toMatchObject({
    status: 'blocked',
    obstacle: expect.stringContaining('unique index people_by_hand, which is INVALID'),
    remedy: expect.stringContaining('drop index people_by_hand'),
  });
  await on.database.exec('DROP INDEX stray.people_by_hand');
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});

it('what an interrupted run has left goes before it', async () => {
  await withLeftover('remains', 'trueup_0123456789abcdef');
  const options = { directory: AFTER, schemas: ['remains'] };
  expect(changesOf(await on.fleet.plan(options), 'remains')).toEqual([
    'drop-index people.trueup_0123456789abcdef pending',
    'add-column people.upper_name pending',
  ]);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});
