import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database, Session } from '../../src/database/session.js';
import { loadDesiredState } from '../../src/desired-state/load.js';
import { explainFleet } from '../../src/explain/explain-fleet.js';
import type { Explanation } from '../../src/explain/explanation.js';
import { DEFAULT_STATEMENT_TIMEOUT, type ExplainRequest } from '../../src/explain/request.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { quoteIdentifier, quoteLiteral } from '../../src/sql/quote.js';
import { optionsFor } from '../support/desired-state-fixture.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const SCHEMA = `x"; DROP TABLE "o'brien`;
const OWNERS = [`o'brien`, 'back\\slash', `$1 '); DROP TABLE items; --`, 'ünï\nlines', ''];

const FLEET = `
version: 1
tenants: { having_tables: [owners, 'the "items"'] }
phases:
  - { name: base, file: base.yaml }
  - { name: search, extension: true, file: search.yaml, owns: { columns: ['the "v"'], methods: [hnsw] } }
`;
const BASE = `
tables:
  owners:
    columns: { id: { type: text, nullable: false }, short: text }
    primary_key: { name: owners_pkey, columns: [id] }
  'the "items"':
    columns: { owner: text, 'the "kind"': text }
`;
const SEARCH = (probe: string) => `
extensions: [{ name: vector, schema: public }]
tables:
  'the "items"':
    columns: { 'the "v"': "vector(2)" }
    index_families:
      - name: "near ' \${kind.value} \${owner.short}"
        for_each: { owner: { table: owners, values: { id: id, short: short } }, kind: ["a'b", "c"] }
        method: { name: hnsw, extension: vector }
        keys: [{ column: 'the "v"', opclass: vector_l2_ops }]
        where: "\\"the \\"\\"kind\\"\\"\\" = \${kind.value} AND owner = \${owner.id}"
probes:
${probe}
`;
/** Few rows as there are, the planner has no other way than the index. */
const NEAR = `
  - name: near
    table: 'the "items"'
    family: "near ' \${kind.value} \${owner.short}"
    row: { v: '"the ""v"""' }
    query: >-
      SELECT owner FROM "the ""items""" WHERE "the ""kind""" = \${kind.value} AND owner = \${owner.id}
       ORDER BY "the ""v""" OPERATOR(public.<->) \${row.v} LIMIT 3
    settings: { enable_seqscan: off, enable_sort: off, enable_bitmapscan: off, nosuch.setting: 9 }
`;

let test: TestDatabase;
let fleet: FleetUnderTest;
const table = `${quoteIdentifier(SCHEMA)}."the ""items"""`;

beforeAll(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
  const owners = OWNERS.map((owner, at) => `(${quoteLiteral(owner)}, 's${at}')`).join(', ');
  await test.exec(`
    CREATE SCHEMA ${quoteIdentifier(SCHEMA)};
    CREATE TABLE ${quoteIdentifier(SCHEMA)}.owners (id text CONSTRAINT owners_pkey PRIMARY KEY, short text);
    CREATE TABLE ${table} (owner text, "the ""kind""" text, "the ""v""" public.vector(2));
    INSERT INTO ${quoteIdentifier(SCHEMA)}.owners VALUES ${owners};
    CREATE SEQUENCE public.called;
    CREATE FUNCTION public.trap(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM nextval('public.called'); RETURN $1; END $$;
    CREATE OPERATOR public.===> (LEFTARG = text, RIGHTARG = text, FUNCTION = pg_catalog.starts_with);`);
  for (const [at, owner] of OWNERS.entries())
    await test.exec(
      `INSERT INTO ${table} SELECT ${quoteLiteral(owner)}, 'a''b', ARRAY[n, ${at}]::public.vector FROM generate_series(1, ${10 + at}) n`,
    );
  await fleet.apply({ directory: directoryOf(NEAR) });
});
// A trap that was called counts: sequences do not roll back.
beforeEach(async () => expect(await test.query('SELECT is_called FROM public.called')).toEqual([{ is_called: false }]));
afterAll(async () => {
  await fleet?.close();
  await test?.drop();
});

const DIRECTORY = temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE });
/** The one directory, with this probe in it. */
function directoryOf(probe: string): string {
  writeFileSync(join(DIRECTORY, 'search.yaml'), SEARCH(probe));
  return DIRECTORY;
}

async function explain(
  probe = NEAR,
  request: Partial<ExplainRequest> = {},
  database: Database = fleet.database,
): Promise<Explanation> {
  return explainFleet(database, {
    desired: await loadDesiredState(optionsFor(directoryOf(probe))),
    selection: { schemas: [SCHEMA], exclude: [], allowEmpty: false, allowAbsent: false },
    probes: [],
    values: {},
    hypothetical: false,
    analyze: false,
    statementTimeout: DEFAULT_STATEMENT_TIMEOUT,
    progress: NO_PROGRESS,
    ...request,
  });
}

/** The database, with something done before each of the first plans of a probe. */
function beforeEachExplain(times: number, work: () => Promise<void>): Database {
  const { database } = fleet;
  let left = times;
  const watched = (session: Session): Session => ({
    serverVersion: session.serverVersion,
    pid: session.pid,
    announcedPid: session.announcedPid,
    broken: false,
    embedded: session.embedded,
    query: async (sql, parameters) => {
      if (sql.startsWith('EXPLAIN (VERBOSE, FORMAT JSON) SELECT owner') && left > 0) {
        left -= 1;
        await work();
      }
      return session.query(sql, parameters);
    },
    script: (statements) => session.script(statements),
    transactions: (scripts) => session.transactions(scripts),
    close: () => session.close(),
    release: () => session.release(),
  });
  return {
    id: database.id,
    target: database.target,
    maxSessions: 1,
    spare: 0,
    connect: async () => watched(await database.connect()),
    close: async () => {},
    cut: () => database.cut(),
  };
}

const first = (explanation: Explanation) => explanation.results[0];
const replaced = (from: string, to: string) => {
  if (!NEAR.includes(from)) throw new Error(`the probe has no ${from}`);
  return NEAR.replace(from, () => to);
};

describe('a probe of a tenant with hostile names', () => {
  it('takes the member of each partition, whatever its values hold', async () => {
    for (const [at, owner] of OWNERS.entries()) {
      const result = first(await explain(NEAR, { values: { 'owner.id': owner, 'kind.value': `a'b` } }));
      expect(result).toMatchObject({
        verdict: 'member',
        partition: { values: { 'owner.id': owner }, rows: { counted: 10 + at } },
        used: [{ name: `near ' a'b s${at}` }],
      });
    }
    expect(first(await explain())?.partition).toMatchObject({ chosen: false, rows: { counted: 14 } });
  });

  it('says which settings the server does not know', async () => {
    expect(first(await explain())?.unknownSettings).toEqual(['nosuch.setting']);
    // Since 15 an extension keeps the names before its dot for itself.
    const misspelt = first(await explain(replaced('nosuch.setting', 'hnsw.ef_serch')));
    if (misspelt?.verdict === 'unreadable') expect(misspelt.reason).toContain('hnsw.ef_serch');
    else expect(misspelt?.unknownSettings).toEqual(['hnsw.ef_serch']);
  });

  it('takes no index of the right name for the member when its predicate is another', async () => {
    const index = `${quoteIdentifier(SCHEMA)}."near ' a'b s4"`;
    const create = (where: string) =>
      test.exec(
        `DROP INDEX ${index}; CREATE INDEX "near ' a'b s4" ON ${table} USING hnsw ("the ""v""" public.vector_l2_ops) ${where}`,
      );
    await create(`WHERE "the ""kind""" = 'a''b'`);
    expect(first(await explain())).toMatchObject({ verdict: 'other-index', ok: false, expected: { state: 'other' } });
    await create('');
    expect(first(await explain())).toMatchObject({
      verdict: 'global-post-filter',
      ok: false,
      expected: { state: 'other' },
    });
    // Written another way, it means the same.
    await create(`WHERE ("the ""kind""")::text = ('a''b'::text) AND (owner = '')`);
    expect(first(await explain())).toMatchObject({ verdict: 'member', expected: { state: 'valid' } });
    await test.exec(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = ${quoteLiteral(index)}::regclass`);
    expect(first(await explain())).toMatchObject({ ok: true, expected: { state: 'invalid' } });
    await test.exec(`UPDATE pg_index SET indisvalid = true WHERE indexrelid = ${quoteLiteral(index)}::regclass`);
    await test.exec(`ALTER INDEX ${index} RENAME TO renamed`);
    expect(first(await explain())).toMatchObject({ verdict: 'other-index', ok: true, expected: { state: 'missing' } });
    await test.exec(`ALTER INDEX ${quoteIdentifier(SCHEMA)}.renamed RENAME TO "near ' a'b s4"`);
  });

  describe('whose indexes trade names while it is planned', () => {
    const schema = quoteIdentifier(SCHEMA);
    const swap = `ALTER INDEX ${schema}."near ' a'b s4" RENAME TO swapped; ALTER INDEX ${schema}.decoy RENAME TO "near ' a'b s4";
      ALTER INDEX ${schema}.swapped RENAME TO decoy`;
    const oidOf = async (name: string) =>
      (await test.query<{ oid: string }>('SELECT oid::text FROM pg_class WHERE relname = $1', [name]))[0]?.oid;
    beforeAll(() =>
      test.exec(
        `CREATE INDEX decoy ON ${table} USING hnsw ("the ""v""" public.vector_l2_ops) WHERE "the ""kind""" = 'a''b' AND owner = ''`,
      ),
    );
    afterAll(() => test.exec(`DROP INDEX ${schema}.decoy`));

    it('is planned again, so that each name stands for the oid that had it', async () => {
      const result = first(
        await explain(
          NEAR,
          {},
          beforeEachExplain(1, () => test.exec(swap)),
        ),
      );
      const [used] = result?.used ?? [];
      expect(used?.oid).toBe(await oidOf(used?.name ?? ''));
      await test.exec(swap);
    });

    it('is given up when they never stop', async () => {
      const result = first(
        await explain(
          NEAR,
          {},
          beforeEachExplain(99, () => test.exec(swap)),
        ),
      );
      expect(result).toMatchObject({ verdict: 'unreadable', ok: false, remedy: 'run again' });
      await test.exec(swap);
    });
  });

  it('has nothing to probe with where no row has a value, or the partition none', async () => {
    const empty = await explain(NEAR, { values: { 'kind.value': 'c' } });
    expect(first(empty)).toMatchObject({ verdict: 'no-rows', ok: true, partition: null });
    const without = replaced(`'"the ""v"""'`, `'nullif(owner, owner)'`);
    expect(first(await explain(without))).toMatchObject({
      verdict: 'no-rows',
      reason: expect.stringContaining('value for v'),
    });
  });

  it('is unreadable when the server refuses it, and the next one is planned all the same', async () => {
    const broken = NEAR.replace('name: near', 'name: broken').replace('SELECT owner', 'SELECT owner / 2');
    const { results } = await explain(broken + NEAR);
    expect(results.map(({ probe, verdict, ok }) => [probe, verdict, ok])).toEqual([
      ['broken', 'unreadable', false],
      ['near', 'member', true],
    ]);
  });
});

describe('S1: what planning a probe would run', () => {
  it.each([
    [`SELECT owner`, `SELECT pg_read_file('/etc/passwd')`],
    [`SELECT owner`, `SELECT pg_catalog.pg_sleep(10)`],
    [`SELECT owner`, `SELECT now()`],
    [`SELECT owner`, `SELECT to_tsvector(owner)`],
    [`SELECT owner`, `SELECT public.trap('x')`],
    [`SELECT owner`, `SELECT trap('x')`],
    [`SELECT owner`, `SELECT 'x' OPERATOR(public.===>) 'y'`],
    [`SELECT owner`, `SELECT ('x'::public.own_type)::text`],
    [`SELECT owner`, `SELECT setseed(0.1)::text`],
    [`'"the ""v"""'`, `pg_read_file('/etc/passwd')`],
    [`'"the ""v"""'`, `trap(owner)`],
    [`'"the ""v"""'`, `to_char(0, owner)`],
  ])('is refused before it is sent: %s → %s', async (from, to) => {
    fleet.forget();
    await expect(explain(replaced(from, from.startsWith('SELECT') ? to : JSON.stringify(to)))).rejects.toMatchObject({
      code: 'FRAGMENT_REFUSED',
      options: { where: expect.stringMatching(/search\.yaml:\d+/u) },
    });
    expect(fleet.statements.filter((sql) => sql.startsWith('EXPLAIN'))).toEqual([]);
  });

  it('may call immutable functions of pg_catalog, by what they are called with, and those of extensions', async () => {
    const query = `SELECT to_tsvector('english', owner), public.vector_dims("the ""v"""), l2_normalize("the ""v"""), lower(owner)`;
    expect(first(await explain(replaced('SELECT owner', query)))).toMatchObject({ verdict: 'member' });
  });

  it('is no view in the place of a table, which could call anything', async () => {
    await test.exec(`ALTER TABLE ${table} RENAME TO kept;
      CREATE VIEW ${table} AS SELECT public.trap(owner) owner, "the ""kind""", "the ""v""" FROM ${quoteIdentifier(SCHEMA)}.kept WHERE public.trap('x') = 'x'`);
    const result = first(await explain());
    await test.exec(`DROP VIEW ${table}; ALTER TABLE ${quoteIdentifier(SCHEMA)}.kept RENAME TO "the ""items"""`);
    expect(result).toMatchObject({ verdict: 'unreadable', reason: expect.stringContaining('is no table') });
  });
});
