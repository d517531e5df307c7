import { afterAll, beforeAll, expect, it } from 'vitest';
import { countOffenders } from '../../src/apply/offenders.js';
import { statementsOf } from '../../src/apply/statements.js';
import { assertCount } from '../../src/sql/guard.js';
import { sql } from '../../src/sql/template.js';
import { catalogOf } from '../support/catalog.js';
import { type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]';
const BASE = `
tables:
  owners: { columns: { id: { type: int, nullable: false } }, primary_key: { name: owners_pkey, columns: [id] } }
  items:
    columns: { id: int, c: { type: text, nullable: false }, a: int, b: int, owner_id: int }
    unique: [{ name: items_a_key, columns: [a] }]
    checks: [{ name: items_b_check, expression: b > 0 }]
    foreign_keys: [{ name: items_owner_fkey, columns: [owner_id], references: { table: owners, columns: [id] } }]
    indexes: [{ name: items_ab_idx, unique: true, keys: [{ expression: a + b }], where: a > 0 }]
`;
const CASES = {
  nulls: [
    'ALTER TABLE S.items ALTER c DROP NOT NULL',
    `UPDATE S.items SET c = NULL`,
    '1,000 or more rows have no value in "c"',
  ],
  one: [
    'ALTER TABLE S.items ALTER c DROP NOT NULL',
    `UPDATE S.items SET c = NULL WHERE id = 1`,
    '1 row has no value in "c"',
  ],
  twice: [
    'ALTER TABLE S.items DROP CONSTRAINT items_a_key',
    `UPDATE S.items SET a = -a / 2 WHERE id < 8`,
    '3 groups of rows have the same value of ("a")',
  ],
  checked: [
    'ALTER TABLE S.items DROP CONSTRAINT items_b_check',
    'UPDATE S.items SET b = -1 WHERE id < 3',
    '2 rows fail the check "items_b_check"',
  ],
  orphan: [
    'ALTER TABLE S.items DROP CONSTRAINT items_owner_fkey',
    'UPDATE S.items SET owner_id = 7 WHERE id < 4',
    '3 rows of ("owner_id") name nothing in "owners"',
  ],
  key: [
    'DROP INDEX S.items_ab_idx',
    'UPDATE S.items SET b = 5 - a WHERE id < 4',
    '1 group of rows has the same value of the key',
  ],
} as const;

let database: TestDatabase;
let fleet: FleetUnderTest;
const directory = temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE });
const schemas = Object.keys(CASES);
const of = (schema: string, script: string) => script.replaceAll(/\bS\./gu, `${schema}.`);
beforeAll(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
  await fleet.provision(schemas, { directory });
  for (const [schema, [damage, rows]] of Object.entries(CASES))
    await database.exec(
      of(
        schema,
        `INSERT INTO S.owners VALUES (1);
         INSERT INTO S.items SELECT n, 'x', n, n, 1 FROM generate_series(1, 1500) n; ${damage}; ${rows}`,
      ),
    );
});
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
});

it('C10: what existing rows refuse is counted, capped, without a value of theirs', async () => {
  const plan = await fleet.plan({ directory });
  const session = await fleet.database.connect();
  try {
    for (const [schema, [, , sentence]] of Object.entries(CASES)) {
      const told: (string | null)[] = [];
      for (const item of itemsOf(plan, schema))
        for (const statement of statementsOf(item, { schema, owner: '' }))
          told.push(await countOffenders(session, statement));
      expect(
        told.filter((one) => one !== null),
        schema,
      ).toEqual([sentence]);
    }
  } finally {
    await session.close();
  }
});

it('C10: such a tenant fails alone, and nothing of it is half applied', async () => {
  const before = new Map<string, unknown>();
  for (const schema of schemas) before.set(schema, await catalogOf(database, schema));
  const outcome = await fleet.apply({ directory });
  expect(outcome.summary).toMatchObject({ failed: schemas.length });
  const said = (schema: string) => outcome.tenants.find((tenant) => tenant.schema === schema)?.error?.message;
  // Under what name it was built, or checked, says nothing to anybody.
  expect(said('twice')).toMatch(/^could not create unique index "trueup_\w+" for items\.items_a_key /u);
  expect(said('nulls')).toMatch(/"trueup_\w+" for items\.c /u);
  for (const schema of schemas) expect(await catalogOf(database, schema), schema).toEqual(before.get(schema));
});

it('S5: a count that is more than a count of the tenant’s rows is not sent', async () => {
  for (const template of [
    sql`SELECT pg_sleep(1)`,
    sql`SELECT count(*) FROM other.items`,
    sql`SELECT count(*), 1`,
    sql`SELECT count(*) FROM pg_read_file('/etc/passwd')`,
    sql`DELETE FROM items`,
    sql`SELECT count(*); SELECT 1`,
  ])
    await expect(assertCount(template)).rejects.toMatchObject({ code: 'STATEMENT_REFUSED' });
});
