import { afterAll, beforeAll, expect, it } from 'vitest';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';

let fleet: FleetUnderTest;
beforeAll(async () => {
  fleet = await openFleet(null);
});
afterAll(() => fleet?.close());

it('PostgreSQL 18: a NOT NULL that is not valid refuses new rows where a column is declared nullable, and goes', async () => {
  const directory = temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': 'tables: { items: { columns: { note: text, name: { type: text, nullable: false } } } }',
  });
  const session = await fleet.database.connect();
  for (const sql of [
    'CREATE SCHEMA shop',
    'CREATE TABLE shop.items (note text, name text)',
    'ALTER TABLE shop.items ADD CONSTRAINT note_ahead NOT NULL note NOT VALID',
    'ALTER TABLE shop.items ADD CONSTRAINT name_ahead NOT NULL name NOT VALID',
  ])
    await session.query(sql);
  await session.close();
  const options = { directory, schemas: ['shop'] };
  expect(changesOf(await fleet.plan(options), 'shop')).toEqual([
    'alter-column items.note pending',
    'alter-column items.name pending',
  ]);
  expect((await fleet.apply(options)).tenants).toMatchObject([{ outcome: 'converged', error: null }]);
  expect(changesOf(await fleet.plan(options), 'shop')).toEqual([]);
});
