import { expect, it } from 'vitest';
import { changesOf, itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

const state = (nullable: boolean, keys: string) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  items:
    columns: { a: { type: int, nullable: ${nullable} }, b: { type: int, nullable: false } }
    ${keys}
`,
  });

const KEY = 'primary_key: { name: items_key, columns: [a] }';

it.each([
  { title: 'is over other columns', after: 'primary_key: { name: items_key, columns: [b] }' },
  { title: 'has another name and is over other columns', after: 'primary_key: { name: other, columns: [b] }' },
  { title: 'becomes a unique constraint', after: 'unique: [{ name: items_key, columns: [a] }]' },
])('a column of a primary key becomes nullable once the key $title', async ({ title, after }) => {
  for (const rows of [false, true]) {
    const schema = `${title.replace(/\W/gu, '_')}_${rows}`;
    await on.fleet.provision([schema], { directory: state(false, KEY) });
    if (rows) await on.database.exec(`INSERT INTO ${schema}.items VALUES (1, 2)`);
    const options = { directory: state(true, after), schemas: [schema] };
    expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
    expect(changesOf(await on.fleet.plan(options), schema)).toEqual([]);
  }
});

it.each([
  {
    title: 'a primary key that nothing declares',
    damage: 'ADD CONSTRAINT mine PRIMARY KEY (a)',
    obstacle: 'primary key mine, which nothing declares, is over the column',
    mend: 'DROP CONSTRAINT mine',
  },
  {
    title: 'a key that the table is replicated by',
    damage: 'ADD CONSTRAINT mine UNIQUE (a), REPLICA IDENTITY USING INDEX mine',
    obstacle: 'mine is the replica identity of the table, which PostgreSQL takes no nullable column for',
    mend: 'REPLICA IDENTITY FULL',
  },
])('a column does not become nullable under $title', async ({ title, damage, obstacle, mend }) => {
  const schema = title.replace(/\W/gu, '_');
  await on.fleet.provision([schema], { directory: state(false, '') });
  await on.database.exec(
    damage
      .split(', REPLICA')
      .map((part, at) => `ALTER TABLE ${schema}.items ${at === 0 ? '' : 'REPLICA'}${part}`)
      .join(';'),
  );
  const options = { directory: state(true, ''), schemas: [schema] };
  expect(itemsOf(await on.fleet.plan(options), schema).map(({ change }) => [change.status, change.obstacle])).toEqual([
    ['blocked', obstacle],
  ]);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'blocked', error: null }]);
  await on.database.exec(`ALTER TABLE ${schema}.items ${mend}`);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});
