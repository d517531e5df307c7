import { expect, it } from 'vitest';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

const state = (column: string) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [shops] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `tables: { shops: { columns: { id: int${column} } } }`,
  });

it.each([
  ['sequence', `{ type: bigint, default: "nextval('nosuch')" }`, 'relation "nosuch" does not exist'],
  [
    'sequence of the tenant',
    `{ type: bigint, default: "nextval('\${schema}.nosuch')" }`,
    'relation "T.nosuch" does not exist',
  ],
])('a %s that a default names and nobody has made is told of soon', async (title, column, message) => {
  const schemas = ['a', 'b'].map((one) => `${one}_${title.length}`);
  await on.fleet.provision(schemas, { directory: state('') });
  const begun = performance.now();
  const { tenants } = await on.fleet.apply({ schemas, directory: state(`, x: ${column}`) });
  const took = performance.now() - begun;
  expect(tenants.map(({ schema, outcome, error }) => [schema, outcome, error?.message, error?.sqlstate])).toEqual(
    schemas.map((schema) => [schema, 'failed', message.replace('T', schema), '42P01']),
  );
  expect(took).toBeLessThan(3000);
});
