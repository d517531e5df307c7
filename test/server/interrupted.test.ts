import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Statement, statementsOf } from '../../src/apply/statements.js';
import { catalogOf } from '../support/catalog.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = 'version: 1\ntenants: { having_tables: [items] }\nphases: [{ name: base, file: base.yaml }]';
const BASE = `
tables:
  owners:
    columns: { id: { type: bigint, nullable: false }, rank: int }
    primary_key: { name: owners_pkey, columns: [id] }
    unique: [{ name: owners_rank_key, columns: [rank] }]
  items:
    columns:
      id: { type: bigint, nullable: false }
      number: { type: bigint, nullable: false, identity: always }
      code: { type: text, nullable: false }
      kind: text
      amount: int
      owner_id: bigint
      note: text
      mark: { type: uuid, default: gen_random_uuid() }
      stamp: { type: uuid, nullable: false, default: gen_random_uuid() }
    primary_key: { name: items_pkey, columns: [id] }
    unique: [{ name: items_code_key, columns: [code] }]
    checks: [{ name: items_amount_check, expression: amount >= 0 }]
    foreign_keys:
      - { name: items_owner_fkey, columns: [owner_id], references: { table: owners, columns: [id] }, on_delete: cascade }
    indexes:
      - { name: items_kind_idx, keys: [kind] }
      - { name: items_note_idx, keys: [note] }
materialized_views:
  summary:
    query: SELECT kind, count(*) AS items FROM \${schema}.items GROUP BY kind
    with_data: true
    indexes: [{ name: summary_kind_idx, unique: true, keys: [kind] }]
`;
const ROWS = 40;
const FILL = `
INSERT INTO S.owners SELECT n, n FROM generate_series(1, 3) n;
INSERT INTO S.items (id, code, kind, amount, owner_id) SELECT n, 'code ' || n, 'kind ' || n % 3, n, 1 + n % 3 FROM generate_series(1, ${ROWS}) n;`;

/** What an application inserts between the two runs: sound by the old shape, the new one and all between. */
const MEANWHILE = `INSERT INTO S.items (id, number, code, kind, amount, owner_id) OVERRIDING SYSTEM VALUE VALUES (1000, 1000, 'new', 'kind 0', 1, 1)`;

const DAMAGES: Readonly<Record<string, string>> = {
  'a nullable column with a default of its own for each row': 'ALTER TABLE S.items DROP COLUMN mark',
  'a NOT NULL column with a default of its own for each row': 'ALTER TABLE S.items DROP COLUMN stamp',
  'NOT NULL': 'ALTER TABLE S.items ALTER code DROP NOT NULL',
  'an identity over numbers that exist': 'ALTER TABLE S.items ALTER number DROP IDENTITY, ALTER number DROP NOT NULL',
  'an identity with a default in its place':
    'ALTER TABLE S.items ALTER number DROP IDENTITY, ALTER number DROP NOT NULL, ALTER number SET DEFAULT 0',
  'a unique key': 'ALTER TABLE S.items DROP CONSTRAINT items_code_key',
  'a unique key over other columns':
    'ALTER TABLE S.items DROP CONSTRAINT items_code_key, ADD CONSTRAINT items_code_key UNIQUE (code, id)',
  'a unique key under whose name another index stands':
    'ALTER TABLE S.items DROP CONSTRAINT items_code_key; CREATE INDEX items_code_key ON S.items (kind)',
  'a primary key': 'ALTER TABLE S.items DROP CONSTRAINT items_pkey',
  'a primary key under another name, over another column':
    'ALTER TABLE S.items DROP CONSTRAINT items_pkey, ADD CONSTRAINT mine PRIMARY KEY (code)',
  'a check': 'ALTER TABLE S.items DROP CONSTRAINT items_amount_check',
  'a check over another expression':
    'ALTER TABLE S.items DROP CONSTRAINT items_amount_check, ADD CONSTRAINT items_amount_check CHECK (amount > -9)',
  'a check under another name, NOT VALID':
    'ALTER TABLE S.items DROP CONSTRAINT items_amount_check, ADD CONSTRAINT mine CHECK (amount >= 0) NOT VALID',
  'a foreign key': 'ALTER TABLE S.items DROP CONSTRAINT items_owner_fkey',
  'a foreign key with another action':
    'ALTER TABLE S.items DROP CONSTRAINT items_owner_fkey, ADD CONSTRAINT items_owner_fkey FOREIGN KEY (owner_id) REFERENCES S.owners (id)',
  'an index': 'DROP INDEX S.items_kind_idx',
  'an index over another column': 'DROP INDEX S.items_kind_idx; CREATE INDEX items_kind_idx ON S.items (amount)',
  'an index under whose name a constraint stands':
    'DROP INDEX S.items_kind_idx; ALTER TABLE S.items ADD CONSTRAINT items_kind_idx UNIQUE (kind, id)',
  'a column of another type, with its index':
    'ALTER TABLE S.items DROP COLUMN note, ADD COLUMN note int; CREATE INDEX items_note_idx ON S.items (note)',
  'a materialized view over another query':
    'DROP MATERIALIZED VIEW S.summary; CREATE MATERIALIZED VIEW S.summary AS SELECT kind, 1::bigint AS items FROM S.items',
};

/** What an interruption leaves whole or not at all: statements of one transaction, or one statement alone. */
type Piece = readonly Statement[];

/** A tenant whose run was stopped after some pieces, the last of them done or half done. */
interface Stopped {
  readonly title: string;
  readonly schema: string;
  readonly pieces: readonly Piece[];
  readonly half: boolean;
}

const directory = temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE });
let database: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
  await fleet.provision(['good'], { directory });
});
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
});

const of = (schema: string, sql: string) => sql.replaceAll(/\bS\./gu, `${schema}.`);

async function damaged(tenants: ReadonlyMap<string, string>): Promise<void> {
  await fleet.provision([...tenants.keys()], { directory });
  for (const [schema, sql] of tenants) await database.exec(of(schema, `${FILL}; ${sql}`));
}

async function piecesOf(schemas: readonly string[]): Promise<ReadonlyMap<string, readonly Piece[]>> {
  const plan = await fleet.plan({ directory, schemas });
  const split = (schema: string) =>
    itemsOf(plan, schema).flatMap((item) => {
      const made: Statement[][] = [];
      for (const statement of statementsOf(item, { schema, owner: 'nobody' })) {
        const last = made.at(-1);
        if (last?.every(isShort) === true && isShort(statement)) last.push(statement);
        else made.push([statement]);
      }
      return made;
    });
  return new Map(schemas.map((schema) => [schema, split(schema)]));
}
const isShort = ({ step }: Statement) => step.mode === 'transaction';

async function run({ schema, pieces, half }: Stopped): Promise<void> {
  for (const [at, piece] of pieces.entries())
    for (const { sql, step, builds } of piece) {
      const stops = half && at === pieces.length - 1;
      await database.exec(stops && step.mode === 'backfill' ? sql.replace(/LIMIT \d+/u, 'LIMIT 10') : sql);
      if (stops && builds !== null)
        await database.exec(
          `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '${schema}.${builds}'::regclass`,
        );
    }
}

const halves = (piece: Piece) =>
  piece.some(({ step, builds }) => step.mode === 'backfill' || (builds !== null && step.mode === 'online'));

/** The rows, without what the database makes up for them. */
const contentOf = (schema: string) =>
  database.query(`SELECT id, code, kind, amount, owner_id, number FROM ${schema}.items WHERE id <> 1000 ORDER BY id`);

/** Values that a column under a temporary name has. */
async function filledOf(schema: string): Promise<readonly string[]> {
  const [unfilled] = await database.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attname ~ '^trueup_'`,
    [`${schema}.items`],
  );
  if (unfilled === undefined) return [];
  const rows = await database.query<{ v: string }>(
    `SELECT ${unfilled.name} v FROM ${schema}.items WHERE ${unfilled.name} IS NOT NULL`,
  );
  return rows.map(({ v }) => v);
}

it('is finished by the next run, wherever the first one was stopped, for every change of several steps', async () => {
  const titles = new Map(Object.entries(DAMAGES).map(([title, sql], at) => [`d${at}`, { title, sql }]));
  await damaged(new Map([...titles].map(([schema, { sql }]) => [schema, sql])));
  const whole = await piecesOf([...titles.keys()]);
  const stopped: Stopped[] = [];
  const wanted = new Map<string, string>();
  for (const [damage, { title, sql }] of titles) {
    const pieces = whole.get(damage) ?? [];
    expect(pieces.length, title).toBeGreaterThan(0);
    for (const [at, piece] of pieces.entries())
      for (const half of halves(piece) ? [true, false] : [false]) {
        const schema = `${damage}_${at}${half ? '_half' : ''}`;
        wanted.set(schema, sql);
        const own = pieces
          .slice(0, at + 1)
          .map((one) =>
            one.map((statement) => ({ ...statement, sql: statement.sql.replaceAll(`${damage}.`, `${schema}.`) })),
          );
        stopped.push({
          title: `${title}, after piece ${at + 1}${half ? ', half done' : ''}`,
          schema,
          pieces: own,
          half,
        });
      }
  }
  await damaged(wanted);
  const before = new Map<string, { readonly rows: readonly unknown[]; readonly filled: readonly string[] }>();
  for (const one of stopped) {
    await run(one);
    await database.exec(of(one.schema, MEANWHILE));
    before.set(one.schema, { rows: await contentOf(one.schema), filled: await filledOf(one.schema) });
  }
  expect([...before.values()].filter(({ filled }) => filled.length > 0).length, 'half filled columns').toBeGreaterThan(
    2,
  );

  const options = { directory, schemas: [...wanted.keys()] };
  const outcome = await fleet.apply(options);
  expect(outcome.tenants.flatMap(({ schema, error }) => (error === null ? [] : [[schema, error]]))).toEqual([]);
  const after = await fleet.plan(options);
  const good = await catalogOf(database, 'good');
  for (const { title, schema } of stopped) {
    expect(changesOf(after, schema), title).toEqual([]);
    expect(await catalogOf(database, schema), title).toEqual(good);
    const { rows, filled } = before.get(schema) ?? { rows: [], filled: [] };
    expect(rows, title).toHaveLength(ROWS);
    expect(await contentOf(schema), title).toEqual(rows);
    const values = await database.query<{ mark: string; stamp: string }>(`SELECT mark, stamp FROM ${schema}.items`);
    for (const column of ['mark', 'stamp'] as const)
      expect(new Set(values.map((row) => row[column])).size, `${title}: ${column}`).toBe(ROWS + 1);
    const given = new Set(values.flatMap(({ mark, stamp }) => [mark, stamp]));
    expect(
      filled.filter((value) => !given.has(value)),
      `${title}: values are kept`,
    ).toEqual([]);
    // The identity goes on beyond every number.
    await database.exec(`INSERT INTO ${schema}.items (id, code) VALUES (2000, 'last')`);
  }
}, 120_000);

it('an index that an interrupted run has built for a key is taken over, not built again', async () => {
  await damaged(new Map([['taken', DAMAGES['a unique key'] ?? '']]));
  const [build] = (await piecesOf(['taken'])).get('taken') ?? [];
  await run({ title: '', schema: 'taken', pieces: [build ?? []], half: false });
  fleet.forget();
  expect((await fleet.apply({ directory, schemas: ['taken'] })).summary).toMatchObject({ converged: 1 });
  expect(fleet.statements.filter((sql) => /CREATE (?:UNIQUE )?INDEX|DROP INDEX/u.test(sql))).toEqual([]);
  expect(fleet.statements.some((sql) => /USING INDEX/u.test(sql))).toBe(true);
});

it('a column that was half filled and is declared otherwise since is dropped', async () => {
  await damaged(new Map([['other', 'ALTER TABLE S.items ADD COLUMN trueup_0123456789abcdef uuid']]));
  expect((await fleet.apply({ directory, schemas: ['other'] })).summary).toMatchObject({ converged: 1 });
  expect(await catalogOf(database, 'other')).toEqual(await catalogOf(database, 'good'));
});

it('a check that existing rows fail leaves its predecessor in force, though the first run was interrupted', async () => {
  const failing = `${DAMAGES['a check over another expression']}; UPDATE S.items SET amount = -1 WHERE id = 1`;
  await damaged(new Map([['failing', failing]]));
  const [first] = (await piecesOf(['failing'])).get('failing') ?? [];
  await run({ title: '', schema: 'failing', pieces: [first ?? []], half: false });
  const outcome = await fleet.apply({ directory, schemas: ['failing'] });
  expect(outcome.tenants.map((tenant) => tenant.outcome)).toEqual(['failed']);
  expect(
    await database.query(
      `SELECT conname, convalidated, pg_get_constraintdef(oid) AS is FROM pg_constraint WHERE conrelid = 'failing.items'::regclass AND contype = 'c'`,
    ),
  ).toEqual([{ conname: 'items_amount_check', convalidated: true, is: expect.stringContaining("'-9'") }]);
});
