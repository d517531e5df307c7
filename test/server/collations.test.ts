import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = `
version: 1
tenants: { base_schema: { env: COLLATIONS_SCHEMA, default: public }, having_tables: [items] }
phases: [{ name: base, file: base.yaml }]
`;
/** Each key declares a collation; the server gives none for those that are the key's own. */
const BASE = `
tables:
  items:
    columns: { plain: text, bytes: { type: text, collation: C }, said: { type: text, collation: default }, word: name, said_in_quotes: { type: text, collation: '"pg_catalog"."default"' }, shared: { type: text, collation: '"shared"."plain"' } }
    indexes:
      - { name: own_of_column, keys: [{ column: bytes, collation: C }] }
      - { name: default_of_column, keys: [{ column: plain, collation: default }] }
      - { name: of_type, keys: [{ column: word, collation: C }] }
      - { name: of_expression, keys: [{ expression: lower(bytes), collation: C }, { expression: lower(plain), collation: default }] }
      - { name: in_quotes, keys: [{ column: bytes, collation: '"shared"."plain"' }, { column: plain, collation: '"pg_catalog"."ucs_basic"' }, { column: shared, collation: '"shared"."plain"' }] }
      - { name: others, keys: [{ column: bytes, collation: default }, { column: plain, collation: POSIX }, { expression: lower(plain), collation: C }] }
`;

let test: TestDatabase;
let fleet: FleetUnderTest;
const options = { directory: temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE }) };
beforeAll(async () => {
  test = await createTestDatabase();
  await test.exec('CREATE SCHEMA shared; CREATE COLLATION shared.plain FROM "C"');
  fleet = await openFleet(test.url);
  await fleet.provision(['t1'], options);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

it('a tenant that was made is in sync, whatever collations its columns and keys declare', async () => {
  expect(itemsOf(await fleet.plan(options), 't1')).toEqual([]);
});

it('an index in another collation than its key declares is drift, where that is the column’s own too', async () => {
  await test.exec(`DROP INDEX t1.own_of_column, t1.others;
    CREATE INDEX own_of_column ON t1.items (bytes COLLATE "POSIX");
    CREATE INDEX others ON t1.items (bytes, plain COLLATE "POSIX", lower(plain) COLLATE "C")`);
  const reasons = itemsOf(await fleet.plan(options), 't1').map(({ change }) => `${change.object}: ${change.reason}`);
  expect(reasons.sort()).toEqual([
    'others: key 1: collation is the default, declared "default"',
    'own_of_column: collation is "POSIX", declared "C"',
  ]);
  await fleet.apply(options);
  expect(itemsOf(await fleet.plan(options), 't1')).toEqual([]);
});
