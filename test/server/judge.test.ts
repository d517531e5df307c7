import { afterAll, beforeAll, expect, it } from 'vitest';
import { judgeExpressions } from '../../src/catalog/judge.js';
import { judgeView } from '../../src/catalog/judge-view.js';
import type { Session } from '../../src/database/session.js';
import { TENANT_SCHEMA_SQL } from '../../src/sql/template.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let fleet: FleetUnderTest;
let session: Session;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  session = await fleet.database.connect();
});
afterAll(async () => {
  await session?.close();
  await fleet?.close();
  await test?.drop();
});

const names = { schemaOf: () => null, extensionOf: () => null };
const column = (name: string, type: string) => ({ name, type, collation: null });
const pair = (desired: string, actual: string) => ({ castTo: null, desired, actual });
const WORDS = {
  columns: [column('kind', 'text')],
  pairs: [pair(`kind IN ('a')`, `kind = 'a'`), pair('kind', 'lower(kind)')],
};
const NUMBERS = { columns: [column('n', 'integer')], pairs: [pair('n > 1', '(n > (1))')] };

it('C12: expressions over several tables’ columns are judged in one round trip', async () => {
  fleet.forget();
  const unplanned = { columns: [], pairs: [pair('elsewhere.f()', '1')] };
  expect(await judgeExpressions(session, [WORDS, unplanned, NUMBERS], names)).toEqual([[true, false], [false], [true]]);
  expect(fleet.statements.map((sql) => /^EXPLAIN/u.test(sql))).toEqual([true, true]);
});

it('one that the server refuses is told apart, and the others are judged', async () => {
  const refused = { columns: [column('n', 'integer')], pairs: [pair('n > 1', 'm > 1'), pair('n = 1', '1 = n')] };
  expect(await judgeExpressions(session, [WORDS, refused, NUMBERS], names)).toEqual([
    [true, false],
    [null, false],
    [true],
  ]);
  const gone = { columns: [], pairs: [pair("'a'::gone.kind", "'b'::gone.kind"), pair('1', '2')] };
  expect(await judgeExpressions(session, [gone], names)).toEqual([[null, false]]);
  expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

it('a view’s query is judged by what it gives under which name', async () => {
  await test.exec(`CREATE SCHEMA seen; CREATE TABLE seen.items (a int, b int);
    CREATE MATERIALIZED VIEW seen.sums AS SELECT a AS one, b AS two FROM seen.items`);
  const [row] = await session.query<{ oid: string }>(`SELECT 'seen.sums'::regclass::oid::text AS oid`);
  const view = { schema: 'seen', name: 'sums', oid: row?.oid ?? '', columns: ['one', 'two'] };
  const judged = (query: string) => judgeView(session, view, query, names);
  expect(await judged(`SELECT a one, b two FROM ${TENANT_SCHEMA_SQL}.items`)).toBe(true);
  expect(await judged(`SELECT a two, b one FROM ${TENANT_SCHEMA_SQL}.items`)).toBe(false);
  expect(await judged(`SELECT b two, a one FROM ${TENANT_SCHEMA_SQL}.items`)).toBe(false);
  expect(await judged(`SELECT a one, b three FROM ${TENANT_SCHEMA_SQL}.items`)).toBe(false);
  expect(await judged(`SELECT a one, b two FROM ${TENANT_SCHEMA_SQL}.elsewhere`)).toBeNull();
});

it('a view that reads a table twice is judged alike where others inherit from the table', async () => {
  const items = `${TENANT_SCHEMA_SQL}.items`;
  const twice = `SELECT a one, (SELECT max(b) FROM ${items}) two FROM ${items}`;
  await test.exec(`CREATE SCHEMA twice; CREATE TABLE twice.items (a int, b int); CREATE TABLE twice.more () INHERITS (twice.items);
    CREATE MATERIALIZED VIEW twice.both AS ${twice.replaceAll(TENANT_SCHEMA_SQL, 'twice')}`);
  const [row] = await session.query<{ oid: string }>(`SELECT 'twice.both'::regclass::oid::text AS oid`);
  const view = { schema: 'twice', name: 'both', oid: row?.oid ?? '', columns: ['one', 'two'] };
  const judged = (query: string) => judgeView(session, view, query, names);
  expect(await judged(twice)).toBe(true);
  expect(await judged(`SELECT i.a one, (SELECT max(j.b) FROM ${items} j) two FROM ${items} i`)).toBe(true);
  expect(await judged(`SELECT a one, (SELECT max(a) FROM ${items}) two FROM ${items}`)).toBe(false);
  expect(await judged(`SELECT a one, (SELECT max(b) FROM ONLY ${items}) two FROM ${items}`)).toBe(false);
});
