import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insertBank, insertMemories, KINDS, memberName, VECTOR_INDEXES_SQL } from '../support/banks.js';
import { type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const N = 20;
const SCHEMAS = ['none', 'below', 'at', 'triple', 'kept', 'edge', 'under', 'emptied', 'odd'] as const;
const WORLD = memberName('worl', 1);
const policy = (rows: number) => ({ load: { environment: { HINDSIGHT_API_VECTOR_INDEX_MIN_ROWS: String(rows) } } });

let test: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(SCHEMAS);
  for (const schema of SCHEMAS) await test.exec(insertBank(schema, 1, 'a'));
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const indexes = async (schema: string) =>
  (await test.query<{ name: string; valid: boolean }>(VECTOR_INDEXES_SQL, [schema])).map(({ name, valid }) => [
    name,
    valid,
  ]);
const members = KINDS.map(({ code }) => [memberName(code, 1), true]).sort();

/** Action, status and members of each of a tenant's changes. */
const found = async (schema: string, rows = N) =>
  itemsOf(await fleet.plan({ ...policy(rows), schemas: [schema] }), schema).map(({ change, members: of }) => [
    change.action,
    change.status,
    (of ?? []).map((member) => member.index).sort(),
  ]);

it('G12: no rows and too few build nothing, and are no drift', async () => {
  await test.exec(insertMemories('below', 'a', N - 1));
  expect(await found('none')).toEqual([]);
  expect(await found('below')).toEqual([]);
  expect((await fleet.plan({ ...policy(N), schemas: ['none', 'below'] })).summary).toMatchObject({
    inSync: 2,
    drifted: 0,
  });
});

it('G12: at the bound the one member that has so many rows is built, and above it too, counted no further', async () => {
  await test.exec(insertMemories('at', 'a', N) + insertMemories('triple', 'a', 3 * N));
  expect(await found('at')).toEqual([['create-index', 'pending', [WORLD]]]);
  fleet.forget();
  expect(await found('triple')).toEqual([['create-index', 'pending', [WORLD]]]);
  const counts = fleet.statements.filter((sql) => /memory_units.*limit \d+/u.test(sql));
  expect(counts.length).toBeGreaterThan(0);
  expect(counts.filter((sql) => !sql.includes(`limit ${N})`))).toEqual([]);
  await fleet.apply({ ...policy(N), schemas: ['at', 'triple'] });
  expect(await indexes('at')).toEqual([[WORLD, true]]);
  expect(await found('at')).toEqual([]);
  expect(await found('triple')).toEqual([]);
});

it('G12: what is there stays down to half of the bound, and goes below it', async () => {
  for (const schema of ['kept', 'edge', 'under', 'emptied'] as const) await fleet.apply({ schemas: [schema] });
  for (const schema of ['kept', 'edge', 'under', 'emptied'] as const) expect(await indexes(schema)).toEqual(members);
  for (const kind of KINDS)
    await test.exec(
      insertMemories('kept', 'a', N - 1, kind.value) +
        insertMemories('edge', 'a', N / 2, kind.value) +
        insertMemories('under', 'a', N / 2 - 1, kind.value),
    );
  expect(await found('kept')).toEqual([]);
  expect(await found('edge')).toEqual([]);
  const names = members.map(([name]) => name);
  expect(await found('under')).toEqual([['drop-index', 'pending', names]]);
  expect(await found('emptied')).toEqual([['drop-index', 'pending', names]]);
  fleet.forget();
  await fleet.apply({ ...policy(N), schemas: ['under', 'emptied'] });
  expect(fleet.statements.filter((sql) => /^drop/iu.test(sql)).every((sql) => /CONCURRENTLY/u.test(sql))).toBe(true);
  expect(await indexes('under')).toEqual([]);
  // Nothing flaps: dropped at 9, it is built again at 20 and not before.
  await test.exec(insertMemories('under', 'a', 1));
  expect(await found('under')).toEqual([]);
});

it('G12: half of an odd bound is rounded down, and is at least one row', async () => {
  await fleet.apply({ schemas: ['odd'] });
  await test.exec(insertMemories('odd', 'a', 1) + insertMemories('odd', 'a', 2, 'experience'));
  const [experience, observation] = [memberName('expr', 1), memberName('obsv', 1)];
  expect(await found('odd', 7)).toEqual([['drop-index', 'pending', [experience, observation, WORLD]]]);
  expect(await found('odd', 5)).toEqual([['drop-index', 'pending', [observation, WORLD]]]);
  expect(await found('odd', 3)).toEqual([['drop-index', 'pending', [observation]]]);
  expect(await found('odd', 1)).toEqual([['drop-index', 'pending', [observation]]]);
  expect(await found('odd', 0)).toEqual([]);
});

it('G12: an INVALID member that is worth its rows is rebuilt, and one that is not goes', async () => {
  await test.exec(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'kept.${WORLD}'::regclass`);
  expect(await found('kept')).toEqual([['rebuild-index', 'pending', [WORLD]]]);
  await test.exec(`DELETE FROM kept.memory_units WHERE fact_type = 'world'`);
  expect(await found('kept')).toEqual([['drop-index', 'pending', [WORLD]]]);
  await fleet.apply({ ...policy(N), schemas: ['kept'] });
  expect((await indexes('kept')).map(([name]) => name)).not.toContain(WORLD);
  expect(await found('kept')).toEqual([]);
});

it('R21: rows that come between plan and apply keep the index that was not worth its cost', async () => {
  await fleet.provision(['racing']);
  await test.exec(insertBank('racing', 1, 'a'));
  await fleet.apply({ schemas: ['racing'] });
  expect(await indexes('racing')).toEqual(members);
  // Below the bound when the plan is made; the application commits enough for one member while apply waits for the lock.
  const application = await test.connect();
  await application.query('BEGIN');
  await application.query(insertMemories('racing', 'a', N));
  const applied = fleet.apply({ ...policy(N), schemas: ['racing'] });
  await someoneWaits();
  await application.query('COMMIT');
  const outcome = await applied;
  expect(outcome.tenants.map(({ outcome: end, error }) => [end, error])).toEqual([['converged', null]]);
  expect(await indexes('racing')).toEqual([[WORLD, true]]);
});

it('G12: a single index goes by its policy as a member does: below the half it is dropped, however right it is', async () => {
  const directory = temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [notes] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  notes:
    columns: { body: text, kind: text }
    indexes:
      - { name: notes_body, keys: [body], where: "kind = 'long'", worth_rows: { build: 4, keep: half } }
`,
  });
  const options = { directory, schemas: ['single'] };
  const needed = async () =>
    itemsOf(await fleet.plan(options), 'single').map(({ change }) => `${change.action}: ${change.reason}`);
  await fleet.provision(['single'], options);
  await test.exec(`INSERT INTO single.notes SELECT n::text, 'long' FROM generate_series(1, 4) n`);
  expect((await fleet.apply(options)).summary).toMatchObject({ converged: 1 });
  await test.exec(
    `DELETE FROM single.notes WHERE body > '2'; INSERT INTO single.notes SELECT 'short', 'short' FROM generate_series(1, 9)`,
  );
  expect(await needed()).toEqual([]);
  await test.exec(`DELETE FROM single.notes WHERE body = '2'`);
  expect(await needed()).toEqual(['drop-index: too few rows to be worth its cost']);
  expect((await fleet.apply(options)).summary).toMatchObject({ converged: 1 });
  expect(await needed()).toEqual([]);
});

/** Waits until a session of trueup's waits for a lock that another holds. */
async function someoneWaits(): Promise<void> {
  for (let left = 500; left > 0; left -= 1) {
    const [row] = await test.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    if ((row?.n ?? 0) > 0) return;
    await sleep(10);
  }
  throw new Error('nobody waited');
}

it('members are counted many in a statement, one that cannot be read by itself, and no tenant more than its table locks', async () => {
  const directory = temporaryDesiredState({
    'fleet.yaml': 'version: 1\ntenants: { having_tables: [shops, parts] }\nphases: [{ name: base, file: base.yaml }]',
    'base.yaml': `
tables:
  shops: { columns: { id: { type: int, nullable: false } } }
  parts:
    columns: { shop: int, price: int }
    index_families:
      - name: "parts_\${shop.id}"
        for_each: { shop: { table: shops, values: { id: id } } }
        keys: [price]
        where: "shop = \${shop.id} AND 10 / (shop - 7) <> 0"
        worth_rows: { build: 3, keep: 2 }
`,
  });
  const SHOPS = 120;
  await fleet.provision(['many', 'more'], { directory });
  for (const schema of ['many', 'more'])
    await test.exec(
      `INSERT INTO ${schema}.shops SELECT generate_series(1, ${SHOPS});
       INSERT INTO ${schema}.parts SELECT 9, 1 FROM generate_series(1, 3);`,
    );
  await test.exec('INSERT INTO more.parts VALUES (7, 1)');
  fleet.forget();
  const plan = await fleet.plan({ directory });
  const counting = fleet.statements.filter((sql) => /parts.*limit 3/u.test(sql));
  expect(counting.length).toBeLessThan(SHOPS / 4);
  const built = (schema: string) => itemsOf(plan, schema).flatMap(({ members: of }) => of?.map((one) => one.index));
  expect(built('many')).toEqual(['parts_9']);
  // What cannot be told counts as enough.
  expect(built('more')).toContain('parts_7');
  expect(built('more')).toContain('parts_9');
});
