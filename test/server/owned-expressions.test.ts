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

/** A tenant with indexes that no phase owns; its columns stand in another order than declared. */
const tenant = (schema: string): string => `
  CREATE SCHEMA ${schema};
  CREATE TABLE ${schema}.items (gone int, body text, note text, id bigint, title text);
  ALTER TABLE ${schema}.items DROP COLUMN gone;
  CREATE INDEX foreign_part ON ${schema}.items USING gin (to_tsvector('simple', note || body));
  CREATE INDEX foreign_key ON ${schema}.items USING gin (to_tsvector('simple', body), to_tsvector('simple', note));
  CREATE INDEX only_beside ON ${schema}.items USING gin (to_tsvector('simple', id::text));
  CREATE INDEX unowned ON ${schema}.items USING gin (to_tsvector('simple', note));`;

it('an index is owned by the columns that its key expressions name: it is no part of the shape, and dropped', async () => {
  await test.exec(tenant('t1') + tenant('t2'));
  await test.exec(`
    CREATE INDEX one ON t1.items USING gin (to_tsvector('simple', body));
    CREATE INDEX two ON t1.items USING gin (to_tsvector('simple', coalesce(title, '') || body));
    CREATE INDEX beside ON t1.items USING gin (to_tsvector('simple', id::text || body));`);
  const plan = await fleet.plan({ directory });
  expect([...changesOf(plan, 't1')].sort()).toEqual([
    'drop-index items.beside pending',
    'drop-index items.one pending',
    'drop-index items.two pending',
  ]);
  expect(changesOf(plan, 't2')).toEqual([]);
  expect(plan.summary.shapes).toBe(1);
});
