import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groupBy } from '../../src/collections.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { unreadableRemedy } from '../../src/plan/unreadable.js';
import {
  type Code,
  createMember,
  familyChanges,
  insertBank,
  KINDS,
  memberName,
  VECTOR_INDEXES_SQL,
} from '../support/banks.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FAMILY = 'memory_units.idx_mu_emb_${fact_type.code}_${bank.short_id}';

let test: TestDatabase;
let fleet: FleetUnderTest;

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['acme', 'beta', 'wrong']);
});

afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const vectorIndexes = (schema: string) =>
  test.query<{ name: string; valid: boolean; definition: string }>(VECTOR_INDEXES_SQL, [schema]);
const names = async (schema: string) => (await vectorIndexes(schema)).map((index) => index.name);
const members = (number: number) => KINDS.map(({ code }) => memberName(code, number)).sort();

/** Applies, and expects convergence shown by an empty plan and by a second apply that sends no DDL. */
async function converge(): Promise<void> {
  const outcome = await fleet.apply();
  expect(outcome.tenants.flatMap((tenant) => tenant.error ?? [])).toEqual([]);
  await expectConverged();
}

async function expectConverged(): Promise<void> {
  const plan: FleetPlan = await fleet.plan();
  expect(plan.databases[0]?.tenants.flatMap((tenant) => changesOf(plan, tenant.schema))).toEqual([]);
  fleet.forget();
  await fleet.apply();
  expect(fleet.statements.filter((sql) => /^\s*(create|drop|alter|lock)\b/iu.test(sql))).toEqual([]);
}

describe('a family of indexes', () => {
  it('G1: a tenant without a bank has every table and no vector index on memory_units', async () => {
    expect(await names('acme')).toEqual([]);
    expect(
      await test.query(
        `select from pg_class where relnamespace = 'acme'::regnamespace and relname in ('banks', 'memory_units', 'mental_models')`,
      ),
    ).toHaveLength(3);
    await expectConverged();
  });

  it('G5: builds the three members of a new bank, then only the one that it lacks', async () => {
    await test.exec(insertBank('acme', 1, 'first'));
    expect(changesOf(await fleet.plan(), 'acme')).toEqual([`create-index ${FAMILY} pending`]);
    await converge();
    expect(await names('acme')).toEqual(members(1));

    await test.exec(`DROP INDEX acme.${memberName('expr', 1)}`);
    const before = await oids('acme');
    expect(familyChanges(await fleet.plan(), 'acme')).toEqual([
      { action: 'create-index', reason: 'missing', members: [memberName('expr', 1)] },
    ]);
    fleet.forget();
    await fleet.apply();
    expect(fleet.statements.filter((sql) => /^create/iu.test(sql))).toHaveLength(1);
    expect(await names('acme')).toEqual(members(1));
    expect(
      Object.entries(await oids('acme')).filter(([name, oid]) => before[name] !== undefined && before[name] !== oid),
    ).toEqual([]);
    await expectConverged();
  });

  it('G5: takes the members that the application made itself for its own', async () => {
    await test.exec(
      insertBank('acme', 2, 'made by the application') +
        KINDS.map(({ code }) => createMember('acme', 2, 'made by the application', code)).join(''),
    );
    await expectConverged();
  });

  it('G6: rebuilds members that are wrong under the right name, each with its own reason', async () => {
    const others = [5, 6, 7, 8].map((number) => insertBank('wrong', number, `bank ${number}`)).join('');
    await test.exec(others);
    await converge();
    const wrong: readonly [number, Code, Parameters<typeof createMember>[4], string][] = [
      [5, 'worl', { using: 'btree (bank_id)' }, 'access method is btree, declared hnsw of extension vector'],
      [
        5,
        'expr',
        { using: 'ivfflat (embedding public.vector_cosine_ops)' },
        'access method is ivfflat of extension vector, declared hnsw of extension vector',
      ],
      [
        5,
        'obsv',
        { using: 'hnsw (embedding public.vector_l2_ops)' },
        'operator class is public.vector_l2_ops, declared public.vector_cosine_ops',
      ],
      [6, 'worl', { where: "WHERE fact_type = 'world' AND bank_id = 'bank 5'" }, 'its predicate is not this member’s'],
      [6, 'expr', { where: "WHERE fact_type = 'world' AND bank_id = 'bank 6'" }, 'its predicate is not this member’s'],
      [
        6,
        'obsv',
        { where: "WHERE fact_type = 'observation' OR bank_id = 'bank 6'" },
        'its predicate is not this member’s',
      ],
      [7, 'worl', { where: "WHERE fact_type = 'world'" }, 'its predicate is not this member’s'],
      [7, 'expr', { where: '' }, 'has no predicate, declared partial'],
      [7, 'obsv', { with: 'WITH (m = 8)' }, 'option m is 8, declared 16'],
      [
        8,
        'obsv',
        { using: 'hnsw ((embedding::public.halfvec(384)) public.halfvec_cosine_ops)' },
        'key is ((embedding)::public.halfvec(384)), declared embedding',
      ],
    ];
    for (const [number, code, parts] of wrong)
      await test.exec(
        `DROP INDEX wrong.${memberName(code, number)}; ${createMember('wrong', number, `bank ${number}`, code, parts)}`,
      );
    const expected = [...groupBy(wrong, ([, , , reason]) => reason)].map(([reason, of]) => ({
      action: 'rebuild-index',
      reason,
      members: of.map(([number, code]) => memberName(code, number)).sort(),
    }));
    const byReason = (left: { reason: string }, right: { reason: string }) => (left.reason < right.reason ? -1 : 1);
    expect([...familyChanges(await fleet.plan(), 'wrong')].sort(byReason)).toEqual(expected.sort(byReason));
    await converge();
    expect(await names('wrong')).toEqual([5, 6, 7, 8].flatMap(members).sort());
  });

  it('G6: members that say the same in other words are in sync', async () => {
    const same: readonly [number, Parameters<typeof createMember>[4]][] = [
      [5, { with: 'WITH (m = 16, ef_construction = 064)' }],
      [6, { where: "WHERE (('bank 6' = bank_id) AND ((fact_type = ('world'::text))))" }],
      [7, { where: "WHERE bank_id IN ('bank 7') AND fact_type = ANY (ARRAY['world'])" }],
    ];
    for (const [number, parts] of same)
      await test.exec(
        `DROP INDEX wrong.${memberName('worl', number)}; ${createMember('wrong', number, `bank ${number}`, 'worl', parts)}`,
      );
    await expectConverged();
  });

  it('G6: rebuilds an INVALID member, and none of the reasons is mixed with another', async () => {
    await test.exec(`
      UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'acme.${memberName('worl', 1)}'::regclass;
      DROP INDEX acme.${memberName('expr', 1)};
      ${createMember('acme', 1, 'first', 'expr', { using: 'hnsw (embedding public.vector_l2_ops)' })}
      DROP INDEX acme.${memberName('obsv', 1)};
      DROP INDEX acme.${memberName('obsv', 2)};`);
    const found = familyChanges(await fleet.plan(), 'acme');
    expect(found.map(({ action, reason, members: of }) => [action, reason.split(':')[0], of])).toEqual(
      expect.arrayContaining([
        ['rebuild-index', 'is INVALID', [memberName('worl', 1)]],
        [
          'rebuild-index',
          'operator class is public.vector_l2_ops, declared public.vector_cosine_ops',
          [memberName('expr', 1)],
        ],
        ['create-index', 'missing', [memberName('obsv', 1), memberName('obsv', 2)]],
      ]),
    );
    expect(found).toHaveLength(3);
    await converge();
    expect((await vectorIndexes('acme')).every((index) => index.valid)).toBe(true);
  });

  it('G7: drops the members of a bank that is gone, and no other’s', async () => {
    await test.exec(`DELETE FROM acme.banks WHERE bank_id = 'made by the application'`);
    expect(familyChanges(await fleet.plan(), 'acme')).toEqual([
      { action: 'drop-index', reason: 'the rows that it was made for are gone', members: members(2) },
    ]);
    fleet.forget();
    await converge();
    expect(await names('acme')).toEqual(members(1));
  });

  it('G14: renames a member’s definition that stands under another name', async () => {
    const before = await oids('acme');
    await test.exec(`ALTER INDEX acme.${memberName('worl', 1)} RENAME TO some_other_name`);
    const [found] = itemsOf(await fleet.plan(), 'acme');
    expect(found?.change).toMatchObject({ action: 'rename-index', status: 'pending' });
    expect(found?.members).toMatchObject([{ index: memberName('worl', 1), from: 'some_other_name' }]);
    await converge();
    expect(await oids('acme')).toEqual(before);
  });

  it('G14: two members under each other’s names are put right', async () => {
    const [world, experience] = [memberName('worl', 1), memberName('expr', 1)];
    await test.exec(`
      ALTER INDEX acme.${world} RENAME TO swapping;
      ALTER INDEX acme.${experience} RENAME TO ${world};
      ALTER INDEX acme.swapping RENAME TO ${experience};`);
    await converge();
    const found = await vectorIndexes('acme');
    expect(found.find((index) => index.name === world)?.definition).toContain("'world'");
    expect(found.find((index) => index.name === experience)?.definition).toContain("'experience'");
  });

  it('G14: of a definition that stands there twice, the one under the wrong name is unexpected', async () => {
    await test.exec(
      createMember('acme', 1, 'first', 'worl', { name: 'twin' }) +
        createMember('acme', 1, 'first', 'worl', { name: 'idx_mu_emb_worl_twin' }),
    );
    const plan = await fleet.plan();
    expect(changesOf(plan, 'acme')).toEqual([`drop-index ${FAMILY} pending`, 'drop-index memory_units.twin pending']);
    await converge();
    expect(await names('acme')).toEqual(members(1));
  });

  it('G13: of two tenants whose indexes have the same names only the one with a wrong one drifts', async () => {
    await test.exec(insertBank('beta', 1, 'first'));
    await converge();
    await test.exec(
      `DROP INDEX beta.${memberName('obsv', 1)}; ${createMember('beta', 1, 'first', 'obsv', { using: 'hnsw (embedding public.vector_ip_ops)' })}`,
    );
    const plan = await fleet.plan();
    expect(changesOf(plan, 'acme')).toEqual([]);
    expect(familyChanges(plan, 'beta')).toMatchObject([{ action: 'rebuild-index', members: [memberName('obsv', 1)] }]);
    expect(plan.summary).toMatchObject({ inSync: 2, drifted: 1 });
    const good = await oids('acme');
    await converge();
    expect(await oids('acme')).toEqual(good);
  });

  it('G13: banks of the same id in two tenants have members of their own, whatever their names', async () => {
    await test.exec(insertBank('acme', 3, 'both') + insertBank('beta', 4, 'both'));
    await converge();
    expect(await names('acme')).toEqual([...members(1), ...members(3)].sort());
    expect(await names('beta')).toEqual([...members(1), ...members(4)].sort());
  });

  it('G13: a tenant whose banks lack the column that names the members gets it, and keeps its members, renamed', async () => {
    const before = Object.values(await oids('beta')).sort();
    await test.exec('ALTER TABLE beta.banks DROP COLUMN internal_id');
    const plan = await fleet.plan();
    expect(changesOf(plan, 'beta')).toContain('add-column banks.internal_id pending');
    expect(changesOf(plan, 'beta').filter((change) => /index/u.test(change))).toEqual([]);
    const alone = await fleet.plan({ load: { phases: ['vector'] } });
    expect(alone.databases[0]?.unreadable).toMatchObject([{ schema: 'beta', code: 'TENANT_UNREADABLE' }]);
    expect(alone.databases[0]?.unreadable.map(unreadableRemedy)).toEqual([expect.stringContaining('base phase')]);
    await converge();
    expect(Object.values(await oids('beta')).sort()).toEqual(before);
  });
});

async function oids(schema: string): Promise<Readonly<Record<string, string>>> {
  const rows = await test.query<{ relname: string; oid: string }>(
    `select relname::text, c.oid::text from pg_class c join pg_am a on a.oid = c.relam where relnamespace = $1::regnamespace and amname = 'hnsw'`,
    [schema],
  );
  return Object.fromEntries(rows.map((row) => [row.relname, row.oid]));
}
