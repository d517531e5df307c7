import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planSql } from '../../src/report/plan-sql.js';
import { addColumn, backfill, dropIndex, fleetPlan, member, missingMembers, tenant } from '../support/plan-fixture.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const HOSTILE = 't "1"; \n\\! false\n-- $$ :x %';

let database: TestDatabase;
const quoted = `"${HOSTILE.replaceAll('"', '""')}"`;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const fill = () =>
  database.exec(`
    CREATE SCHEMA ${quoted};
    CREATE TABLE ${quoted}.items (id int, body tsvector, "kind" text, shop text, found uuid);
    ALTER TABLE ${quoted}.items ALTER found SET DEFAULT gen_random_uuid();
    INSERT INTO ${quoted}.items SELECT n, NULL, 'new', 'a', NULL FROM generate_series(1, 4500) n;
    CREATE INDEX old ON ${quoted}.items (id);
    CREATE TABLE ${quoted}.notes (id int);
    CREATE RULE noted AS ON UPDATE TO ${quoted}.items DO ALSO INSERT INTO ${quoted}.notes VALUES (NEW.id);
  `);

describe('the script', () => {
  it('runs through psql as it is, hostile names and values included (S5)', async () => {
    await fill();
    const shop = `o'b\\rien :shop\n\\! false`;
    const filled = backfill('found');
    const changes = [
      addColumn('a'),
      { ...filled, steps: filled.steps.slice(1) },
      dropIndex('old'),
      missingMembers(member(shop)),
    ];
    await database.psql([...planSql(fleetPlan({ tenants: [tenant(HOSTILE, ...changes)] }))].join('\n'));
    const [rows] = await database.query(
      `SELECT count(*)::int AS all, count(DISTINCT found)::int AS filled FROM ${quoted}.items WHERE a IS NULL`,
    );
    expect(rows).toEqual({ all: 4500, filled: 4500 });
    // An UPDATE that a rule adds to stands in no WITH.
    expect(await database.query(`SELECT count(DISTINCT id)::int AS noted FROM ${quoted}.notes`)).toEqual([
      { noted: 4500 },
    ]);
    const indexes = await database.query<{ indexdef: string }>(
      'SELECT indexdef FROM pg_indexes WHERE schemaname = $1',
      [HOSTILE],
    );
    expect(indexes).toHaveLength(1);
    expect(indexes[0]?.indexdef).toContain(`'o''b\\rien :shop\n\\! false'`);
  });

  it('stops when a trigger keeps rows without a value', async () => {
    await database.exec(`UPDATE ${quoted}.items SET found = NULL WHERE id > 4000;
      CREATE FUNCTION ${quoted}.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER kept BEFORE UPDATE ON ${quoted}.items FOR EACH ROW WHEN (old.id > 4400) EXECUTE FUNCTION ${quoted}.keep()`);
    const filled = backfill('found');
    const script = planSql(fleetPlan({ tenants: [tenant(HOSTILE, { ...filled, steps: filled.steps.slice(1) })] }));
    await expect(database.psql([...script].join('\n'))).rejects.toThrow('rows are left without a value');
    const left = await database.query(`SELECT FROM ${quoted}.items WHERE found IS NULL`);
    expect(left).toHaveLength(100);
  });

  it('stops when rows have come into a table that it takes for empty (R21)', async () => {
    const change = addColumn('b', { assumptions: [{ kind: 'no-rows', table: 'items' }] });
    const script = [...planSql(fleetPlan({ tenants: [tenant(HOSTILE, change)] }))].join('\n');
    await expect(database.psql(script)).rejects.toThrow('items was empty when the plan was made and holds data now');
    const columns = await database.query("SELECT FROM pg_attribute WHERE attname = 'b' AND attrelid = $1::regclass", [
      `${quoted}.items`,
    ]);
    expect(columns).toEqual([]);
  });
});
