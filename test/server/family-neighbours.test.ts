import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createMember,
  familyChanges,
  insertBank,
  insertMemories,
  KINDS,
  memberName,
  VECTOR_INDEXES_SQL,
} from '../support/banks.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let fleet: FleetUnderTest;

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['acme', 'beta', 'full', 'taken', 'twins']);
});

afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const only = (schema: string) => ({ schemas: [schema] });
const all = (number: number) => KINDS.map(({ code }) => [memberName(code, number), true]).sort();
const vectorIndexes = async (schema: string) =>
  (await test.query<{ name: string; valid: boolean }>(VECTOR_INDEXES_SQL, [schema])).map(({ name, valid }) => [
    name,
    valid,
  ]);

async function expectConverged(schema: string): Promise<void> {
  const { tenants } = await fleet.apply(only(schema));
  expect(tenants).toMatchObject([{ schema, outcome: 'converged', error: null }]);
  expect(changesOf(await fleet.plan(only(schema)), schema)).toEqual([]);
}

describe('a family whose table is damaged too', () => {
  it('G5: the table is lost with its members: made again with them, in one apply', async () => {
    await test.exec(`${insertBank('acme', 1, 'first')} DROP TABLE acme.memory_units CASCADE`);
    await expectConverged('acme');
    expect(await vectorIndexes('acme')).toEqual(all(1));
  });

  it('G5: the column is lost with its members: added again with them, in one apply', async () => {
    await test.exec('ALTER TABLE acme.memory_units DROP COLUMN embedding');
    await expectConverged('acme');
    expect(await vectorIndexes('acme')).toEqual(all(1));
  });

  it('G5: a column of the predicate is lost with the members', async () => {
    await test.exec('ALTER TABLE acme.memory_units DROP COLUMN fact_type CASCADE');
    await expectConverged('acme');
    expect(await vectorIndexes('acme')).toEqual(all(1));
  });
});

describe('a family over rows', () => {
  it('G6: a valid member serves until its successor is valid, whatever it is wrong in', async () => {
    await test.exec(
      insertBank('full', 1, 'big') +
        insertMemories('full', 'big', 200) +
        createMember('full', 1, 'big', 'worl', { using: 'hnsw (embedding public.vector_l2_ops)' }) +
        createMember('full', 1, 'big', 'expr') +
        createMember('full', 1, 'big', 'obsv', { with: 'WITH (ef_construction = 32)' }),
    );
    const plan = await fleet.plan(only('full'));
    expect(familyChanges(plan, 'full').map(({ action }) => action)).toEqual(['rebuild-index', 'rebuild-index']);
    fleet.forget();
    await expectConverged('full');
    const ddl = fleet.statements
      .filter((sql) => /^(create|drop|alter)/iu.test(sql))
      .map((sql) => sql.split(' ').slice(0, 3).join(' '));
    const rebuild = ['CREATE INDEX CONCURRENTLY', 'ALTER INDEX', 'ALTER INDEX', 'DROP INDEX CONCURRENTLY'];
    expect(ddl.map((sql) => rebuild.find((start) => sql.startsWith(start)))).toEqual([...rebuild, ...rebuild]);
    expect(await vectorIndexes('full')).toEqual(all(1));
  });

  it('G14: a right definition that stands elsewhere while its name is held by a wrong one', async () => {
    const wrong = createMember('twins', 1, 'first', 'worl', { using: 'hnsw (embedding public.vector_l2_ops)' });
    await test.exec(
      insertBank('twins', 1, 'first') +
        insertMemories('twins', 'first', 50) +
        wrong +
        createMember('twins', 1, 'first', 'worl', { name: 'elsewhere' }),
    );
    await expectConverged('twins');
    expect(await vectorIndexes('twins')).toEqual(all(1));
  });

  it('G7: rows whose members would share a name make the tenant unreadable, and the others go on', async () => {
    await test.exec(
      insertBank('beta', 1, 'first') +
        `INSERT INTO beta.banks (bank_id, internal_id) VALUES ('second', '11111111-aaaa-4aaa-8bbb-bbbbbbbbbbbb')`,
    );
    const plan = await fleet.plan();
    expect(plan.databases[0]?.unreadable).toMatchObject([{ schema: 'beta' }]);
    expect(plan.summary).toMatchObject({ tenants: 5, unreadable: 1 });
    await test.exec("DELETE FROM beta.banks WHERE bank_id = 'second'");
    await expectConverged('beta');
  });

  it.each([
    ['valid', ''],
    // As another session's build is until it is done: it must not be taken for the leftover of this run's own.
    [
      'INVALID',
      `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'taken.${memberName('worl', 1)}'::regclass;`,
    ],
  ])(
    'G6: a name that a %s index of another table holds is refused for that tenant alone, without being said, and that index stays',
    async (_, make) => {
      await test.exec(`
      DELETE FROM taken.banks; DELETE FROM taken.memory_units; DROP INDEX IF EXISTS taken.${memberName('worl', 1)};
      ${insertBank('taken', 1, 'first')} ${insertMemories('taken', 'first', 2)}
      CREATE INDEX ${memberName('worl', 1)} ON taken.banks (name); ${make}
      DROP INDEX beta.${memberName('worl', 1)};`);
      const { tenants, summary } = await fleet.apply();
      expect(summary).toMatchObject({ failed: 0, converged: 1 });
      const taken = tenants.find((tenant) => tenant.schema === 'taken');
      const refused = taken?.changes.map(({ item }) => item).filter(({ change }) => change.status === 'blocked') ?? [];
      expect(refused).toMatchObject([{ change: { obstacle: 'an index of table banks stands under its name' } }]);
      expect(refused[0]?.members).toMatchObject([{ index: memberName('worl', 1) }]);
      const held = await test.query(
        `select from pg_class c join pg_index i on i.indexrelid = c.oid where c.relname = $1 and i.indrelid = 'taken.banks'::regclass`,
        [memberName('worl', 1)],
      );
      expect(held).toHaveLength(1);
    },
  );
});
