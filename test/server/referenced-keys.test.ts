import { describe, expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const directory = temporaryDesiredState({
  'fleet.yaml': 'version: 1\ntenants: { having_tables: [shops] }\nphases: [{ name: base, file: base.yaml }]',
  'base.yaml': `
tables:
  shops:
    columns:
      id: { type: bigint, nullable: false }
      code: { type: text, nullable: false }
      tag: int
    primary_key: { name: shops_pkey, columns: [id] }
    unique: [{ name: shops_code_key, columns: [code], include: [tag] }]
    indexes: [{ name: shops_both, keys: [id, code], unique: true }]
`,
});

const on = fleetOnServer();

/** A tenant that was damaged: what apply does to it, and what its plan says afterwards. */
async function damaged(schema: string, damage: string) {
  await on.fleet.provision([schema], { directory });
  await on.database.exec(damage.replaceAll('S.', `${schema}.`));
  return applied(schema);
}

async function applied(schema: string) {
  const options = { directory, schemas: [schema] };
  const { tenants } = await on.fleet.apply(options);
  const plan = await on.fleet.plan(options);
  const obstacles = itemsOf(plan, schema).map(({ change }) => change.obstacle);
  return { outcome: tenants.map(({ outcome, error }) => [outcome, error]), left: changesOf(plan, schema), obstacles };
}

const CODE_KEY = 'DROP CONSTRAINT shops_code_key, ADD CONSTRAINT shops_code_key UNIQUE (code)';
/** A key of the same column, for a foreign key of PostgreSQL's choice: the first that was made. */
const TWIN = 'ALTER TABLE S.shops ADD CONSTRAINT twin UNIQUE (code);';
const SALES = 'CREATE TABLE S.sales (code text CONSTRAINT sales_fkey REFERENCES S.shops (code));';
const ON_SALES = /^foreign key sales_fkey of table sales rests on /u;

describe('what a foreign key rests on is not dropped under it, and the foreign key is named', () => {
  it.each([
    ['a key', `ALTER TABLE S.shops ${CODE_KEY}; ${SALES}`, 'replace-constraint shops.shops_code_key'],
    [
      'a key, though there is another one over its column',
      `ALTER TABLE S.shops ${CODE_KEY}; ${SALES} ${TWIN}`,
      'replace-constraint shops.shops_code_key',
    ],
    [
      'a unique index',
      `DROP INDEX S.shops_both; CREATE UNIQUE INDEX shops_both ON S.shops (code); ALTER TABLE S.shops DROP CONSTRAINT shops_code_key;
       ${SALES} ALTER TABLE S.shops ADD CONSTRAINT shops_code_key UNIQUE (code) INCLUDE (tag)`,
      'rebuild-index shops.shops_both',
    ],
    [
      'an index under the name of a key',
      `ALTER TABLE S.shops DROP CONSTRAINT shops_code_key; CREATE UNIQUE INDEX shops_code_key ON S.shops (code); ${SALES}`,
      'replace-constraint shops.shops_code_key',
    ],
    [
      'an index under the name of a key that stands under another',
      `ALTER TABLE S.shops RENAME CONSTRAINT shops_code_key TO other; ${SALES.replace('(code)', '(id)').replace('text', 'bigint')}
       ALTER TABLE S.sales DROP CONSTRAINT sales_fkey; CREATE UNIQUE INDEX shops_code_key ON S.shops (tag);
       ALTER TABLE S.sales ADD tag int CONSTRAINT sales_fkey REFERENCES S.shops (tag)`,
      'rename-constraint shops.shops_code_key',
    ],
    [
      'a key of a column of another type',
      `ALTER TABLE S.shops ALTER code TYPE int USING 1; ${SALES.replace('text', 'int')}`,
      'alter-column shops.code',
    ],
    [
      'a unique index of a column that is dropped and added anew',
      `ALTER TABLE S.shops DROP CONSTRAINT shops_code_key, ALTER tag TYPE uuid USING NULL; CREATE UNIQUE INDEX mine ON S.shops (tag);
       CREATE TABLE S.sales (tag uuid CONSTRAINT sales_fkey REFERENCES S.shops (tag)); ALTER TABLE S.shops ADD CONSTRAINT shops_code_key UNIQUE (code)`,
      'replace-column shops.tag',
    ],
    [
      'a key that includes such a column',
      `ALTER TABLE S.shops DROP CONSTRAINT shops_code_key, ALTER tag TYPE uuid USING NULL;
       ALTER TABLE S.shops ADD CONSTRAINT shops_code_key UNIQUE (code) INCLUDE (tag); ${SALES}`,
      'replace-column shops.tag',
    ],
  ])('%s', async (what, damage, change) => {
    const schema = what.replace(/\W/gu, '_');
    const { outcome, left, obstacles } = await damaged(schema, damage);
    expect(outcome).toEqual([['blocked', null]]);
    expect(left).toContain(`${change} blocked`);
    expect(obstacles).toContainEqual(expect.stringMatching(ON_SALES));
    await on.database.exec(`ALTER TABLE ${schema}.sales DROP CONSTRAINT sales_fkey`);
    expect(await applied(schema)).toEqual({ outcome: [['converged', null]], left: [], obstacles: [] });
  });

  it('one of another schema', async () => {
    const { outcome, obstacles } = await damaged(
      'referenced_from_elsewhere',
      `ALTER TABLE S.shops ${CODE_KEY}; CREATE SCHEMA "Else"; ${SALES.replace('S.', '"Else".')}`,
    );
    expect(outcome).toEqual([['blocked', null]]);
    expect(obstacles).toEqual([expect.stringMatching(/^foreign key sales_fkey of table "Else"\.sales rests on it/u)]);
  });
});

it('a key goes where each foreign key onto its column rests on another one', async () => {
  const damage = `ALTER TABLE S.shops DROP CONSTRAINT shops_code_key; ${TWIN} ${SALES}
    ALTER TABLE S.shops ADD CONSTRAINT shops_code_key UNIQUE (code)`;
  expect(await damaged('rests_on_another', damage)).toEqual({
    outcome: [['converged', null]],
    left: [],
    obstacles: [],
  });
});

describe('a missing foreign key is added after the drop of what it would come to rest on', () => {
  const tree = temporaryDesiredState({
    'fleet.yaml':
      'version: 1\ntenants: { having_tables: [nodes] }\nphases: [{ name: base, file: base.yaml, owns: { columns: [id], methods: [btree] } }]',
    'base.yaml': `
tables:
  nodes:
    columns: { id: { type: int, nullable: false }, up: int, n: int }
    primary_key: { name: nodes_pkey, columns: [id] }
    indexes: [{ name: nodes_n, keys: [n] }]
    foreign_keys: [{ name: nodes_up_fkey, columns: [up], references: { table: nodes, columns: [id] } }]
`,
  });

  it.each([
    ['displaced', 'a constraint under an index’s name', 'ALTER TABLE S.nodes ADD CONSTRAINT nodes_n UNIQUE (id)'],
    ['other', 'an index of another definition', 'CREATE UNIQUE INDEX nodes_n ON S.nodes (id)'],
    ['more', 'an index that nothing declares', 'CREATE UNIQUE INDEX more ON S.nodes (id)'],
  ])('%s: %s', async (schema, _, stray) => {
    const options = { directory: tree, schemas: [schema] };
    await on.fleet.provision([schema], { directory: tree });
    const damage = `INSERT INTO S.nodes VALUES (1, 1); DROP INDEX S.nodes_n; ${stray}; ALTER TABLE S.nodes DROP CONSTRAINT nodes_pkey CASCADE`;
    await on.database.exec(damage.replaceAll('S.', `${schema}.`));
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
    expect(changesOf(await on.fleet.plan(options), schema)).toEqual([]);
  });
});
