import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest';
import { applyFleet } from '../../src/apply/apply-fleet.js';
import { runDefaults } from '../../src/apply/request.js';
import type { Database, Session } from '../../src/database/session.js';
import { planFleet } from '../../src/plan/plan-fleet.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { changesOf, type FleetUnderTest, loadShipped, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'trueup-batch-reading-'));
writeFileSync(
  join(directory, 'fleet.yaml'),
  'version: 1\ntenants: { having_tables: [orders, prices] }\nphases: [{ name: base, file: base.yaml }]\n',
);
writeFileSync(
  join(directory, 'base.yaml'),
  `tables:
  orders:
    columns: { id: { type: bigint, nullable: false }, placed: date }
    primary_key: { name: orders_pkey, columns: [id] }
    indexes: [{ name: orders_placed, keys: [placed] }]
  prices:
    columns: { id: { type: bigint, nullable: false }, amount: numeric }
    primary_key: { name: prices_pkey, columns: [id] }
`,
);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let test: TestDatabase;
let fleet: FleetUnderTest;
beforeEach(async () => {
  test = await createTestDatabase();
  fleet = await openFleet(test.url);
});
afterEach(async () => {
  await fleet?.close();
  await test?.drop();
});

/** Lacks the index. */
const tenant = (schema: string): string => `CREATE SCHEMA ${schema};
  CREATE TABLE ${schema}.orders (id bigint CONSTRAINT orders_pkey PRIMARY KEY, placed date);
  CREATE TABLE ${schema}.prices (id bigint CONSTRAINT prices_pkey PRIMARY KEY, amount numeric);`;
const tenants = (count: number) => Array.from({ length: count }, (_, at) => `t${String(at).padStart(3, '0')}`);

/** The database, with a note of every round trip: the parameters of a statement, or a script's length. */
function noting(database: Database) {
  const trips: (readonly unknown[] | number)[] = [];
  const passes: { readonly sql: string; readonly tables: unknown; readonly kept: boolean }[] = [];
  const noted = (session: Session): Session =>
    new Proxy(session, {
      get: (of, name) => {
        const value: unknown = Reflect.get(of, name, of);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]) => {
          const [sql, parameters = [], how = {}] = args as readonly [
            string,
            (readonly unknown[])?,
            { kept?: boolean }?,
          ];
          if (name === 'query') trips.push(parameters);
          if (name === 'query' && isPass(parameters))
            passes.push({ sql, tables: parameters[1], kept: how.kept === true });
          if (name === 'script' || name === 'transaction') trips.push((args[0] as readonly string[]).length);
          return value.apply(of, args);
        };
      },
    });
  const wrapped: Database = Object.assign(Object.create(database), {
    connect: async () => noted(await database.connect()),
  });
  return { database: wrapped, trips, passes };
}

/**
 * Plans and applies as the command does; gives the round trips that the apply made, the plan's not among them, and the
 * passes of both.
 */
async function applied() {
  const { database, trips, passes } = noting(fleet.database);
  const request = {
    desired: await loadShipped({ directory }),
    selection: { schemas: [], exclude: [], allowEmpty: false, allowAbsent: false },
    allow: new Set<never>(),
    progress: NO_PROGRESS,
    ...runDefaults(),
    concurrency: 1,
  };
  const plan = await planFleet(database, { ...request, again: true });
  trips.splice(0);
  return { outcome: await applyFleet(database, plan, request), trips, passes };
}

it('makes a tenant’s short changes in one round trip, and reads only the table that they are about', async () => {
  const [few, many] = [20, 200];
  await test.exec(tenants(few).map(tenant).join(''));
  const first = await applied();
  expect(first.outcome.summary.converged).toBe(few);
  await test.exec(
    tenants(few)
      .map((schema) => `DROP INDEX ${schema}.orders_placed;`)
      .join(''),
  );
  await test.exec(tenants(many).slice(few).map(tenant).join(''));
  const second = await applied();
  expect(second.outcome.summary.converged).toBe(many);
  // That the tables are empty the plan has found, and the lock will show.
  expect(second.trips.length - first.trips.length).toBeLessThanOrEqual(many - few);
  // The server keeps the statement, from the plan on: the words are the same.
  const read = ({ passes }: typeof first) => passes.map(({ tables, kept }) => ({ tables, kept }));
  const pass = (...tables: readonly string[]) => ({ tables, kept: true });
  for (const run of [first, second]) {
    expect(read(run)).toEqual([pass('orders', 'prices'), pass('orders'), pass('orders')]);
    expect(new Set(run.passes.map(({ sql }) => sql)).size).toBe(1);
  }
  expect((await fleet.plan({ directory })).summary.inSync).toBe(many);
});

it('the command has its plan’s pass kept, and only the pass planned for any tenants', async () => {
  await test.exec(tenants(64).map(tenant).join(''));
  const log = ['--log-level', 'debug', '--log-format', 'json', '--show-values'];
  const { stderr } = await promisify(execFile)(
    process.execPath,
    [PROGRAM, 'apply', '--yes', '--quiet', '--desired-state', directory, ...log],
    { env: { ...process.env, TRUEUP_DATABASE_URL: test.url }, maxBuffer: 2 ** 26 },
  );
  const lines = stderr
    .trim()
    .split('\n')
    .map((line): { statement?: { sql: string }; event?: { kind: string } } => JSON.parse(line));
  const begun = lines.findIndex(({ event }) => event?.kind === 'run-started');
  const planning = lines.slice(0, begun).flatMap(({ statement }) => statement?.sql ?? []);
  const set = planning.findIndex((sql) => sql.includes('force_generic_plan'));
  expect(planning.filter((sql) => sql.includes('force_generic_plan'))).toEqual([planning[set]]);
  expect(planning[set + 1]).toMatch(/^with ns as materialized/u);
  expect(lines.findLast(({ event }) => event !== undefined)?.event).toMatchObject({
    kind: 'run-finished',
    outcomes: { converged: 64 },
  });
});

/** Oids of schemas and names of tables are what the pass over the catalogs is asked with. */
const isPass = ([oids, names, filter]: readonly unknown[]): boolean =>
  Array.isArray(oids) &&
  /^\d+$/u.test(String(oids[0])) &&
  Array.isArray(names) &&
  names.length > 0 &&
  typeof filter === 'string';

it('R3: what others did between plan and apply is seen; a tenant that is not as it was is read whole', async () => {
  await test.exec(['made', 'other', 'twice', 'gone', 'plain'].map(tenant).join(''));
  const plan = await fleet.plan({ directory });
  await test.exec(`
    CREATE INDEX orders_placed ON made.orders (placed);
    CREATE INDEX orders_placed ON other.orders (id);
    CREATE INDEX orders_placed ON twice.orders (placed); ALTER TABLE twice.prices DROP COLUMN amount;
    DROP SCHEMA gone CASCADE;`);
  fleet.forget();
  const outcome = await fleet.apply({ directory }, plan);
  expect(Object.fromEntries(outcome.tenants.map((one) => [one.schema, one.outcome]))).toEqual({
    made: 'in-sync',
    other: 'converged',
    twice: 'converged',
    gone: 'vanished',
    plain: 'converged',
  });
  expect(fleet.statements.filter((sql) => /(?:INDEX|TABLE)\b.*\bmade\b/u.test(sql) && !/^SELECT/iu.test(sql))).toEqual(
    [],
  );
  expect((await fleet.plan({ directory })).summary).toMatchObject({ inSync: 4, drifted: 0 });
});

it('does not ask again what its plan has learnt of the database, and asks anew once that is a minute old', async () => {
  const surroundings = () => fleet.statements.filter((sql) => sql.includes('pg_available_extensions')).length;
  const shapes = () => fleet.statements.filter((sql) => sql.includes('default_expr')).length;
  await test.exec(['one', 'two'].map(tenant).join(''));
  const plan = await fleet.plan({ directory, schemas: ['one'] });
  fleet.forget();
  expect((await fleet.apply({ directory, schemas: ['one'] }, plan)).summary.converged).toBe(1);
  expect(surroundings()).toBe(0);
  // Of what the changes have made of the table alone.
  expect(shapes()).toBe(1);
  const old = await fleet.plan({ directory, schemas: ['two'] });
  fleet.forget();
  const now = performance.now.bind(performance);
  performance.now = () => now() + 61_000;
  try {
    expect((await fleet.apply({ directory, schemas: ['two'] }, old)).summary.converged).toBe(1);
    expect(surroundings()).toBe(1);
    expect(shapes()).toBe(2);
  } finally {
    performance.now = now;
  }
});

it('what happened since to a table that the plan did not speak of is left to the next plan', async () => {
  await test.exec(tenant('elsewhere'));
  const plan = await fleet.plan({ directory });
  await test.exec('ALTER TABLE elsewhere.prices DROP COLUMN amount');
  expect((await fleet.apply({ directory }, plan)).summary.converged).toBe(1);
  expect(changesOf(await fleet.plan({ directory }), 'elsewhere')).toEqual(['add-column prices.amount pending']);
});

it('C1: a schema that somebody made since the plan is diffed as it is, not made again', async () => {
  const options = { directory, schemas: ['late'], createSchema: true };
  const plan = await fleet.plan(options);
  await test.exec(tenant('late'));
  fleet.forget();
  const outcome = await fleet.apply(options, plan);
  expect(outcome.tenants.map((one) => one.outcome)).toEqual(['converged']);
  expect(fleet.statements.filter((sql) => /^CREATE (?:SCHEMA|TABLE)/u.test(sql))).toEqual([]);
  expect((await fleet.plan({ directory })).summary.inSync).toBe(1);
});

it('R21: a role that may not use PL/pgSQL leaves what it cannot check, and is told why', async () => {
  const role = `hardened_${test.name}`;
  await test.exec(`${tenant('plain')} CREATE ROLE ${role} LOGIN; ALTER SCHEMA plain OWNER TO ${role};
    ALTER TABLE plain.orders OWNER TO ${role}; ALTER TABLE plain.prices OWNER TO ${role};
    REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC`);
  const hardened = await openFleet(test.urlFor(role));
  try {
    const outcome = await hardened.apply({ directory });
    expect(outcome.tenants).toMatchObject([
      { outcome: 'failed', error: { sqlstate: '42501', remedy: expect.stringContaining('trueup doctor') } },
    ]);
    expect(changesOf(await hardened.plan({ directory }), 'plain')).toEqual([
      'create-index orders.orders_placed pending',
    ]);
  } finally {
    await hardened.close();
    await test.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

it('R21: a table that others inherit from is not empty while they hold rows: none of theirs loses a column', async () => {
  await test.exec(`${tenant('parent')} ALTER TABLE parent.orders DROP COLUMN id,
      ADD COLUMN id text GENERATED ALWAYS AS ('kept') STORED CONSTRAINT orders_pkey PRIMARY KEY;
    CREATE TABLE parent.archive () INHERITS (parent.orders)`);
  const plan = await fleet.plan({ directory });
  expect(changesOf(plan, 'parent')).toContain('replace-column orders.id pending');
  await test.exec("INSERT INTO parent.archive VALUES ('2026-01-01')");
  fleet.forget();
  const outcome = await fleet.apply({ directory }, plan);
  expect(outcome.tenants).toMatchObject([{ outcome: 'partial', error: null }]);
  expect(fleet.statements.filter((sql) => sql.includes('DROP COLUMN'))).toEqual([]);
  expect(await test.query('SELECT id FROM parent.archive')).toEqual([{ id: 'kept' }]);
});
