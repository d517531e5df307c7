import { describe, expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

const state = (columns: string, more = '') =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [shops] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `tables: { shops: { columns: { id: int${columns} } }${more} }`,
  });

it('a sequence that a default names and nobody has made is told of soon', async () => {
  const schemas = ['a', 'b'];
  await on.fleet.provision(schemas, { directory: state('') });
  const begun = performance.now();
  const directory = state(`, x: { type: bigint, default: "nextval('nosuch')" }`);
  const { tenants } = await on.fleet.apply({ schemas, directory });
  const took = performance.now() - begun;
  expect(tenants.map(({ schema, outcome, error }) => [schema, outcome, error?.message, error?.sqlstate])).toEqual(
    schemas.map((schema) => [schema, 'failed', 'relation "nosuch" does not exist', '42P01']),
  );
  expect(took).toBeLessThan(3000);
});

describe('what a column names of the tenant’s schema, and the tenant lacks, is told by the plan', () => {
  const REMEDY = 'make it in the application’s own migration, then apply';
  const inSchema = (what: string) => `there is no ${what} in the tenant’s schema`;

  it.each([
    ['a_type', '"${schema}.state"', 'type "state"', `CREATE TYPE a_type_x.state AS ENUM ('new')`],
    ['an_array', '"${schema}.state[]"', 'type "state"', `CREATE DOMAIN an_array_x.state AS text`],
    [
      'a_default',
      `{ type: bigint, default: "nextval('\${schema}.numbers')" }`,
      'sequence "numbers"',
      'CREATE SEQUENCE a_default_x.numbers',
    ],
    [
      'a_cast',
      `{ type: bigint, default: "nextval('\${schema}.\\"Numbers\\"'::regclass)" }`,
      'sequence "Numbers"',
      'CREATE SEQUENCE a_cast_x."Numbers"',
    ],
    [
      'in_an_expression',
      `{ type: text, default: "('a'::\${schema}.state)::text" }`,
      'type "state"',
      'CREATE DOMAIN in_an_expression_x.state AS text',
    ],
    [
      'generated',
      '{ type: int, generated: "${schema}.twice(id)" }',
      'function "twice"',
      `CREATE FUNCTION generated_x.twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * n'`,
    ],
  ])('%s', async (title, column, what, made) => {
    const [has, lacks] = [`${title}_x`, `${title}_y`];
    const schemas = [has, lacks];
    await on.fleet.provision(schemas, { directory: state('') });
    await on.database.exec(`${made}; INSERT INTO ${lacks}.shops VALUES (1); INSERT INTO ${has}.shops VALUES (1)`);
    const options = { schemas, directory: state(`, x: ${column}`) };
    const plan = await on.fleet.plan(options);
    expect(changesOf(plan, has)).toEqual(['add-column shops.x pending']);
    expect(itemsOf(plan, lacks).map(({ change }) => change)).toMatchObject([
      { action: 'add-column', status: 'blocked', obstacle: inSchema(what), remedy: REMEDY },
    ]);
    const { tenants } = await on.fleet.apply(options, plan);
    expect(tenants.map(({ schema, outcome }) => [schema, outcome])).toEqual([
      [has, 'converged'],
      [lacks, 'blocked'],
    ]);
    await on.database.exec(made.replaceAll(has, lacks));
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'in-sync' }, { outcome: 'converged' }]);
  });

  it('of a column whose default or type is another', async () => {
    await on.fleet.provision(['other'], { directory: state(', x: bigint, y: int') });
    const directory = state(`, x: { type: bigint, default: "nextval('\${schema}.numbers')" }, y: "\${schema}.state"`);
    expect(changesOf(await on.fleet.plan({ schemas: ['other'], directory }), 'other')).toEqual([
      'alter-column shops.x blocked',
      'replace-column shops.y blocked',
    ]);
  });

  it('of a tenant that is to be made, whose schema is not there', async () => {
    const directory = state(', x: "${schema}.state", y: "${schema}.state"', ', stays: { columns: { id: int } }');
    const options = { schemas: ['none'], directory, createSchema: true };
    const plan = await on.fleet.plan(options);
    expect(itemsOf(plan, 'none').map(({ change }) => change)).toMatchObject([
      { action: 'create-schema', status: 'blocked', obstacle: inSchema('type "state"'), remedy: REMEDY },
      { action: 'create-table', status: 'blocked', obstacle: inSchema('type "state"'), remedy: REMEDY },
      {
        object: 'stays',
        status: 'blocked',
        obstacle: `waits for create-schema, which is blocked: ${inSchema('type "state"')}`,
        remedy: REMEDY,
        behind: 'create-schema',
      },
    ]);
    expect((await on.fleet.apply(options, plan)).tenants).toMatchObject([{ outcome: 'blocked', error: null }]);
    await on.database.exec('CREATE SCHEMA none; CREATE DOMAIN none.state AS text');
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged' }]);
  });

  it('but not what the run itself makes: the row type of a table, and the sequence of a serial column', async () => {
    const more = `, stays: { columns: { shop: "\${schema}.shops", number: { type: bigint, serial: true } } },
      visits: { columns: { number: { type: bigint, default: "nextval('\${schema}.stays_number_seq')" } } }`;
    await on.fleet.provision(['made'], { directory: state('', more) });
  });
});
