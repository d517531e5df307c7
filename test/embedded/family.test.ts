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

const DDL = /^\s*(create|drop|alter|lock)\b/iu;

let fleet: FleetUnderTest;

beforeAll(async () => {
  fleet = await openFleet(null);
  await fleet.provision(['acme', 'Beta']);
}, 120_000);

afterAll(() => fleet?.close());

/** Runs statements over a session of their own: there is only one at a time. */
async function run(...statements: readonly string[]) {
  const session = await fleet.database.connect();
  try {
    let rows: readonly Readonly<Record<string, unknown>>[] = [];
    for (const statement of statements) rows = await session.query(statement);
    return rows;
  } finally {
    await session.close();
  }
}

const vectorIndexes = async (schema: string) =>
  (await run(VECTOR_INDEXES_SQL.replace('$1', `'${schema}'`))).map((row) => [row.name, row.valid]);

async function expectConverged(): Promise<void> {
  const plan = await fleet.plan();
  expect(['acme', 'Beta'].map((schema) => changesOf(plan, schema))).toEqual([[], []]);
  fleet.forget();
  await fleet.apply();
  expect(fleet.statements.filter((sql) => DDL.test(sql))).toEqual([]);
}

describe('a family of indexes, embedded', () => {
  it('G1, N2: a tenant without a bank has no vector index on memory_units, and apply leaves it alone', async () => {
    expect(await vectorIndexes('acme')).toEqual([]);
    await expectConverged();
  });

  it('G5: builds the members of a new bank, then the one that it lacks', async () => {
    await run(insertBank('acme', 1, "o'brien"), insertBank('Beta', 1, "o'brien"));
    expect((await fleet.apply()).summary).toMatchObject({ converged: 2, failed: 0 });
    const all = KINDS.map(({ code }) => [memberName(code, 1), true]).sort();
    expect(await vectorIndexes('acme')).toEqual(all);
    await run(`DROP INDEX acme.${memberName('expr', 1)}`);
    const plan = await fleet.plan();
    expect(familyChanges(plan, 'acme')).toEqual([
      { action: 'create-index', reason: 'missing', members: [memberName('expr', 1)] },
    ]);
    expect(changesOf(plan, 'Beta')).toEqual([]);
    await fleet.apply();
    expect(await vectorIndexes('acme')).toEqual(all);
    await expectConverged();
  });

  it('G6: rebuilds the INVALID leftover of a build that failed', async () => {
    const name = memberName('worl', 1);
    // A unique build over rows that are not unique fails; what it leaves has this member's name.
    await run(
      insertMemories('acme', "o'brien", 3),
      `DROP INDEX acme.${name}`,
      "UPDATE acme.memory_units SET embedding = NULL, text = 'same'",
    );
    const unique = createMember('acme', 1, "o'brien", 'worl', { using: 'btree (text)' }).replace(
      'CREATE INDEX',
      'CREATE UNIQUE INDEX CONCURRENTLY',
    );
    await expect(run(unique)).rejects.toMatchObject({ code: '23505' });
    expect(await vectorIndexes('acme')).toContainEqual([name, false]);
    const [found] = familyChanges(await fleet.plan(), 'acme');
    expect(found).toMatchObject({ action: 'rebuild-index', members: [name] });
    expect(found?.reason).toMatch(/^is INVALID, and access method is btree/u);
    expect((await fleet.apply()).summary).toMatchObject({ converged: 1, failed: 0 });
    expect(await vectorIndexes('acme')).toEqual(KINDS.map(({ code }) => [memberName(code, 1), true]).sort());
    await expectConverged();
  });
});
