import { afterAll, beforeAll, expect, it } from 'vitest';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const directory = temporaryDesiredState({
  'fleet.yaml': `
version: 1
tenants: { having_tables: [items] }
phases:
  - { name: base, file: base.yaml }
  - { name: search, extension: true, file: search.yaml, owns: { columns: [title, body], methods: [gin], ignoring: [id] } }
`,
  'base.yaml': 'tables: { items: { columns: { id: bigint, note: text } } }',
  'search.yaml': 'tables: { items: { columns: { title: text, body: text } } }',
});

let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

it('an index is owned by the columns that its key expressions name: owned, it is dropped; else it is left alone', async () => {
  // Of another column order than declared, so that numbers say nothing by themselves.
  await test.exec(`
    CREATE SCHEMA t1;
    CREATE TABLE t1.items (gone int, body text, note text, id bigint, title text);
    ALTER TABLE t1.items DROP COLUMN gone;
    CREATE INDEX one ON t1.items USING gin (to_tsvector('simple', body));
    CREATE INDEX two ON t1.items USING gin (to_tsvector('simple', coalesce(title, '') || body));
    CREATE INDEX beside ON t1.items USING gin (to_tsvector('simple', id::text || body));
    CREATE INDEX foreign_part ON t1.items USING gin (to_tsvector('simple', note || body));
    CREATE INDEX foreign_key ON t1.items USING gin (to_tsvector('simple', body), to_tsvector('simple', note));
    CREATE INDEX only_beside ON t1.items USING gin (to_tsvector('simple', id::text));
    CREATE INDEX unowned ON t1.items USING gin (to_tsvector('simple', note));`);
  expect([...changesOf(await fleet.plan({ directory }), 't1')].sort()).toEqual([
    'drop-index items.beside pending',
    'drop-index items.one pending',
    'drop-index items.two pending',
  ]);
});
