import { expect, it } from 'vitest';
import { itemsOf } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { fleetOnServer } from '../support/server-fleet.js';

const on = fleetOnServer();

const state = (columns: string) =>
  temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `tables: { items: { columns: { ${columns} } } }`,
  });

it.each([
  ['added', 'id: int, note: text'],
  ['filled', 'id: int, token: { type: uuid, default: gen_random_uuid() }'],
  ['dropped and added', 'id: uuid'],
  ['widened', 'id: int, code: varchar(9)'],
])('a column that is to be %s is blocked where the table has its columns from a type', async (title, columns) => {
  const schema = title.replaceAll(' ', '_');
  await on.database.exec(`CREATE SCHEMA ${schema}; CREATE TYPE ${schema}.item AS (id int, code varchar(5));
    CREATE TABLE ${schema}.items OF ${schema}.item; INSERT INTO ${schema}.items VALUES (NULL)`);
  const options = { schemas: [schema], directory: state(columns) };
  const plan = await on.fleet.plan(options);
  expect(itemsOf(plan, schema).map(({ change }) => change)).toMatchObject([
    {
      status: 'blocked',
      obstacle: 'the table is one of type item, and PostgreSQL changes its columns with that type alone',
      remedy: 'change the type with ALTER TYPE item … CASCADE, or end that with ALTER TABLE items NOT OF, then apply',
    },
  ]);
  expect((await on.fleet.apply(options, plan)).tenants).toMatchObject([{ outcome: 'blocked', error: null }]);
  await on.database.exec(`ALTER TABLE ${schema}.items NOT OF`);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});

it('but its default and NOT NULL are its own', async () => {
  await on.database.exec(`CREATE SCHEMA own; CREATE TYPE own.item AS (id int); CREATE TABLE own.items OF own.item`);
  const options = { schemas: ['own'], directory: state('id: { type: int, default: 1, nullable: false }') };
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});

const USED = (use: string) => ({
  status: 'blocked',
  obstacle: `${use} holds rows of the table as values: PostgreSQL changes no column under it and adds none that has a value, and a dropped one would be lost there too`,
  remedy: `drop ${use}, where it is of no use, apply, and make it again`,
});

it.each([
  ['added with a value', 'id: int, note: { type: text, default: "\'x\'" }'],
  ['computed', 'id: int, twice: { type: int, generated: id * 2 }'],
  ['added with checks', 'id: int, size: "${schema}.size"'],
  ['dropped and added', 'id: int, more: uuid'],
  ['widened', 'id: int, code: varchar(9)'],
])('a column that is to be %s is blocked where another holds the table’s rows as values', async (title, columns) => {
  const schema = `used_${title.replaceAll(' ', '_')}`;
  await on.database.exec(`CREATE SCHEMA ${schema}; CREATE DOMAIN ${schema}.size AS int CHECK (VALUE > 0);
    CREATE TABLE ${schema}.items (id int, code varchar(5), more int); CREATE TABLE ${schema}.kept (item ${schema}.items);
    INSERT INTO ${schema}.kept VALUES (ROW(1, 'a', 7))`);
  const options = { schemas: [schema], directory: state(columns) };
  const plan = await on.fleet.plan(options);
  expect(itemsOf(plan, schema).map(({ change }) => change)).toMatchObject([USED('column item of kept')]);
  expect((await on.fleet.apply(options, plan)).tenants).toMatchObject([{ outcome: 'blocked', error: null }]);
  await on.database.exec(`DROP TABLE ${schema}.kept`);
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});

it.each([
  ['an array', 'CREATE TABLE S.kept (item S.items[])'],
  ['a domain', 'CREATE DOMAIN S.one AS S.items; CREATE TABLE S.kept (item S.one)'],
  ['a domain over arrays', 'CREATE DOMAIN S.many AS S.items[]; CREATE TABLE S.kept (item S.many)'],
  ['another type', 'CREATE TYPE S.pair AS (a S.items, b int); CREATE TABLE S.kept (item S.pair)'],
  ['a range of another type', 'CREATE TYPE S.span AS RANGE (subtype = S.items); CREATE TABLE S.kept (item S.span)'],
  ['a table that inherits', 'CREATE TABLE S.heir () INHERITS (S.items); CREATE TABLE S.kept (item S.heir)'],
])('a column is blocked where the table’s rows are held through %s alone', async (through, sql) => {
  const schema = `through_${through.replaceAll(' ', '_')}`;
  await on.database.exec(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.items (id int)`);
  await on.database.exec(sql.replaceAll('S.', `${schema}.`));
  const plan = await on.fleet.plan({
    schemas: [schema],
    directory: state('id: int, note: { type: text, default: "\'x\'" }'),
  });
  expect(itemsOf(plan, schema).map(({ change }) => change)).toMatchObject([USED('column item of kept')]);
});

it('whatever lies between them: arrays, domains, types, a table that inherits; and what has no value is added', async () => {
  await on.database.exec(`CREATE SCHEMA far; CREATE SCHEMA beside; CREATE TABLE far.items (id int);
    CREATE TABLE far.heir () INHERITS (far.items); CREATE TYPE far.pair AS (a far.heir[], b int);
    CREATE DOMAIN far.pairs AS far.pair; CREATE TABLE beside.kept (item far.pairs)`);
  const filled = { schemas: ['far'], directory: state('id: int, token: { type: int, default: 1 }') };
  const plan = await on.fleet.plan(filled);
  expect(itemsOf(plan, 'far').map(({ change }) => change)).toMatchObject([USED('column item of beside.kept')]);
  const options = { schemas: ['far'], directory: state('id: int, note: text') };
  expect((await on.fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
});
