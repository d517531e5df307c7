import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderSql } from '../../src/sql/template.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = `
version: 1
tenants: { base_schema: { env: OPTIONS_SCHEMA, default: public }, having_tables: [shops, items] }
phases: [{ name: base, file: base.yaml, owns: { columns: [body], methods: [gin] } }]
`;
const BASE = `
tables:
  shops:
    columns: { name: text }
  items:
    columns: { shop: text, n: { type: int, nullable: false }, place: point, body: tsvector }
    indexes:
      - { name: by_btree, keys: [n], unique: true, options: { fillfactor: 70, deduplicate_items: off } }
      - { name: by_spgist, keys: [place], method: spgist, options: { fillfactor: 60 } }
      - { name: by_gist, keys: [place], method: gist, options: { buffering: on, fillfactor: 60 } }
      - { name: by_gin, keys: [body], method: { name: gin, defaults: { fastupdate: on } }, options: { gin_pending_list_limit: 128 } }
      - { name: by_brin, keys: [n], method: brin, options: { autosummarize: on, pages_per_range: 16 } }
      - { name: by_hash, keys: [n], method: hash, options: { fillfactor: 60 } }
    index_families:
      - name: "items_\${shop.name}"
        for_each: { shop: { table: shops, values: { name: name } } }
        method: gin
        keys: [body]
        options: { fastupdate: off }
        where: "shop = \${shop.name}"
`;

let test: TestDatabase;
let fleet: FleetUnderTest;
const options = { directory: temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE }) };
beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  await fleet.provision(['t1'], options);
  await test.exec(`INSERT INTO t1.shops VALUES ('a'), ('b');
    INSERT INTO t1.items SELECT 'a', n, point(n, n), 'word' FROM generate_series(1, 100) n`);
  await fleet.apply(options);
});
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

/** Where the indexes of t1 are stored, by name: another file is another build. */
const files = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    (
      await test.query(`SELECT relname, relfilenode::text FROM pg_class
        WHERE relnamespace = 't1'::regnamespace AND relkind = 'i' ORDER BY relname`)
    ).map((row) => [String(row.relname), String(row.relfilenode)]),
  );

/** Damages t1, says what a plan makes of it, and converges it; `rebuilt` are the indexes that were built for that. */
async function mended(damage: string) {
  await test.exec(damage);
  const before = await files();
  const items = itemsOf(await fleet.plan(options), 't1');
  expect((await fleet.apply(options)).summary).toMatchObject({ converged: 1, failed: 0 });
  expect(changesOf(await fleet.plan(options), 't1')).toEqual([]);
  const built = new Set(Object.values(before));
  const after = await files();
  return {
    changes: items.map(({ change }) => `${change.action} ${change.object}: ${change.reason}`),
    rebuilt: Object.keys(after).filter((index) => !built.has(after[index] ?? '')),
  };
}

describe('an option that an index takes on as it stands', () => {
  it.each([
    ['by_btree', 'SET (fillfactor = 90)', 'option fillfactor is 90, declared 70'],
    ['by_btree', 'RESET (fillfactor)', 'option fillfactor is not set, declared 70'],
    ['by_btree', 'SET (deduplicate_items = on)', 'option deduplicate_items is on, declared off'],
    ['by_spgist', 'SET (fillfactor = 90)', 'option fillfactor is 90, declared 60'],
    ['by_gist', 'SET (buffering = auto)', 'option buffering is auto, declared on'],
    ['by_gin', 'SET (gin_pending_list_limit = 64)', 'option gin_pending_list_limit is 64, declared 128'],
    ['by_gin', 'SET (fastupdate = off)', 'option fastupdate is off, declared on'],
    ['by_brin', 'SET (autosummarize = off)', 'option autosummarize is off, declared on'],
  ])('%s %s is altered, and nothing is built', async (index, damage, reason) => {
    expect(await mended(`ALTER INDEX t1.${index} ${damage}`)).toEqual({
      changes: [`alter-index ${index}: ${reason}`],
      rebuilt: [],
    });
  });

  it('is altered of the index that the table is replicated by, too', async () => {
    await test.exec('ALTER TABLE t1.items REPLICA IDENTITY USING INDEX by_btree');
    const { changes, rebuilt } = await mended('ALTER INDEX t1.by_btree RESET (fillfactor, deduplicate_items)');
    expect(changes).toEqual([
      'alter-index by_btree: option fillfactor is not set, declared 70; option deduplicate_items is not set, declared off',
    ]);
    expect(rebuilt).toEqual([]);
    await test.exec('ALTER TABLE t1.items REPLICA IDENTITY DEFAULT');
  });

  it('is altered of the members that lack it, and with a new name of one that has lost it', async () => {
    const { changes, rebuilt } = await mended(`ALTER INDEX t1.items_a SET (fastupdate = on);
      ALTER INDEX t1.items_b RESET (fastupdate); ALTER INDEX t1.items_b RENAME TO lost`);
    expect([...changes].sort()).toEqual([
      'alter-index items_${shop.name}: option fastupdate is on, declared off',
      'rename-index items_${shop.name}: its definition stands under another name; option fastupdate is not set, declared off',
    ]);
    expect(rebuilt).toEqual([]);
  });

  it('comes with the build where something else differs', async () => {
    const damage = `DROP INDEX t1.by_gin; CREATE INDEX by_gin ON t1.items USING gin (body) WITH (fastupdate = off) WHERE n > 0`;
    expect((await mended(damage)).rebuilt).toEqual(['by_gin']);
  });
});

describe('an option that is built in needs a build', () => {
  it.each([
    ['by_hash', 'fillfactor = 90'],
    ['by_gist', 'fillfactor = 90'],
    ['by_brin', 'pages_per_range = 32'],
  ])('%s, %s', async (index, damage) => {
    const { changes, rebuilt } = await mended(`ALTER INDEX t1.${index} SET (${damage})`);
    expect(changes).toEqual([expect.stringMatching(new RegExp(`^rebuild-index ${index}: option`, 'u'))]);
    expect(rebuilt).toEqual([index]);
  });
});

it('ALTER INDEX takes the lock that the change tells of, for every option', async () => {
  const client = await test.connect();
  const told: string[] = [];
  const taken: string[] = [];
  for (const [index, damage] of [
    ['by_btree', 'fillfactor = 90, deduplicate_items = on'],
    ['by_spgist', 'fillfactor = 90'],
    ['by_gist', 'buffering = off'],
    ['by_gin', 'fastupdate = off, gin_pending_list_limit = 64'],
    ['by_brin', 'autosummarize = off'],
  ]) {
    await test.exec(`ALTER INDEX t1.${index} SET (${damage})`);
    const [item] = itemsOf(await fleet.plan(options), 't1');
    for (const { sql, lock } of item?.change.steps ?? []) {
      const statement = renderSql(sql, { schema: 't1' });
      await client.query(`BEGIN; ${statement}`);
      const { rows } = await client.query<{ mode: string }>(
        `SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 't1.${index}'::regclass`,
      );
      await client.query('ROLLBACK');
      told.push(`${statement}: ${lock.mode}`);
      for (const { mode } of rows)
        taken.push(
          `${statement}: ${mode
            .replace(/Lock$/u, '')
            .replace(/\B[A-Z]/gu, ' $&')
            .toUpperCase()}`,
        );
    }
    await fleet.apply(options);
  }
  expect(told).toHaveLength(7);
  expect(taken).toEqual(told);
});
