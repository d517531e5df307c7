import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { lockedTenants } from '../../src/catalog/locked-tenants.js';
import { DatabaseError } from '../../src/database/session.js';
import { inspectTenant } from '../../src/inspect/inspect-tenant.js';
import type { FleetPlan } from '../../src/plan/fleet-plan.js';
import { type Attempt, pastLocks } from '../../src/plan/past-locks.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { writeShopsAndItems } from '../support/desired-state-fixture.js';
import { changesOf, type FleetUnderTest, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const state = (columns = '', more = ''): string =>
  writeShopsAndItems(`    columns: { shop: int, kind: { type: text, default: "'plain'" }${columns} }
    indexes: [{ name: items_kind, keys: [kind], where: "kind <> 'plain'" }]
${more}`);
const SCHEMAS = ['t1', 't2', 't3'];
const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

let database: TestDatabase;
let fleet: FleetUnderTest;
let migration: pg.Client;
beforeEach(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
  // One after the other: of tenants that look alike the oldest is read.
  for (const schema of SCHEMAS) await fleet.provision([schema], { directory: state() });
  migration = await database.connect();
  await migration.query("SET application_name = 'migration'; BEGIN");
});
afterEach(async () => {
  await migration?.end();
  await fleet?.close();
  await database?.drop();
});

const unreadable = (plan: FleetPlan) =>
  plan.databases.flatMap((one) => one.unreadable.map(({ schema, code, message }) => [schema, code, message]));
const LOCKED = expect.stringMatching(
  /^the lock ACCESS EXCLUSIVE on "items" is held by process \d+ \(application "migration", .*idle in transaction/u,
);

describe('R6: while a migration of a tenant holds its table and does not end', () => {
  it('a plan says of the others what they need, and of that one who holds it', async () => {
    await migration.query('LOCK TABLE t1.items IN ACCESS EXCLUSIVE MODE');
    await database.exec('DROP INDEX t2.items_kind');
    const plan = await fleet.plan({ directory: state() });
    expect(unreadable(plan)).toEqual([['t1', 'TENANT_LOCKED', LOCKED]]);
    expect(plan.summary).toMatchObject({ tenants: 3, inSync: 1, drifted: 1, unreadable: 1 });
    expect(changesOf(plan, 't2')).toEqual(['create-index items.items_kind pending']);
  });

  it('a plan reads it where nothing of its own is needed: it looks like one that is not locked', async () => {
    await migration.query('LOCK TABLE t3.items IN ACCESS EXCLUSIVE MODE');
    expect((await fleet.plan({ directory: state() })).summary).toMatchObject({ tenants: 3, inSync: 3 });
  });

  it('a plan that needs a fact of it, of which no catalog tells, reads the others', async () => {
    await migration.query('LOCK TABLE t3.items IN ACCESS EXCLUSIVE MODE');
    const plan = await fleet.plan({ directory: state(', note: text') });
    expect(unreadable(plan)).toEqual([['t3', 'TENANT_LOCKED', LOCKED]]);
    expect(plan.summary).toMatchObject({ tenants: 3, drifted: 2 });
  });

  it('a plan that reads rows of it, of which a family is made, reads the others', async () => {
    const family = `    index_families:
      - name: "items_of_\${shop.id}"
        for_each: { shop: { table: shops, values: { id: "id::text" } } }
        keys: [kind]
        where: "shop::text = \${shop.id}"
`;
    await database.exec(SCHEMAS.map((schema) => `INSERT INTO ${schema}.shops VALUES (7)`).join(';'));
    await migration.query('LOCK TABLE t3.shops IN ACCESS EXCLUSIVE MODE');
    const plan = await fleet.plan({ directory: state('', family) });
    expect(unreadable(plan)).toEqual([['t3', 'TENANT_LOCKED', expect.stringContaining('on "shops" is held by')]]);
    expect(plan.summary).toMatchObject({ tenants: 3, drifted: 2 });
  });

  it('a plan does not take a materialized view for another while what it reads is locked', async () => {
    const view = `materialized_views:
  of_shops: { query: "SELECT id FROM shops WHERE id > 3" }
`;
    const directory = state('', view);
    await fleet.apply({ directory });
    expect((await fleet.plan({ directory })).summary).toMatchObject({ tenants: 3, inSync: 3 });
    await migration.query('LOCK TABLE t1.shops IN ACCESS EXCLUSIVE MODE');
    const plan = await fleet.plan({ directory });
    expect(unreadable(plan)).toEqual([['t1', 'TENANT_LOCKED', expect.stringContaining('on "shops" is held by')]]);
    expect(plan.summary).toMatchObject({ tenants: 3, inSync: 2 });
  });

  it('inspect does not write down a family’s members as indexes of their own while its rows are locked', async () => {
    await database.exec(`INSERT INTO t1.shops VALUES (7), (8);
      CREATE INDEX items_of_7 ON t1.items (kind) WHERE shop = 7; CREATE INDEX items_of_8 ON t1.items (kind) WHERE shop = 8`);
    expect((await inspectTenant(fleet.database, { schema: 't1' })).families).toHaveLength(1);
    await migration.query('LOCK TABLE t1.shops IN ACCESS EXCLUSIVE MODE');
    const refused = await inspectTenant(fleet.database, { schema: 't1' }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'TENANT_LOCKED', message: expect.stringContaining('on "shops" is held by') });
  });

  it('a plan says so and ends with 4, an apply ends with 5', async () => {
    await migration.query('LOCK TABLE t1.items IN ACCESS EXCLUSIVE MODE');
    const where = ['--database-url', database.url, '--desired-state', state()];
    const run = (...words: readonly string[]) =>
      spawnSync(process.execPath, [PROGRAM, ...words, ...where], { encoding: 'utf8' });
    const plan = run('plan');
    expect([plan.status, plan.stdout.replaceAll(/\s+/gu, ' ')]).toEqual([
      4,
      expect.stringMatching(
        /Not readable: tenant t1: the lock ACCESS EXCLUSIVE on "items" is held by process \d+ \(.* do: wait for that transaction, or end it/u,
      ),
    ]);
    const apply = run('apply', '--yes');
    const said = `${apply.stdout}${apply.stderr}`.replaceAll(/\s+/gu, ' ');
    expect([apply.status, said]).toEqual([5, expect.stringContaining('wait for that transaction, or end it')]);
  });

  it('inspect names who holds it, a table that no file declares yet, and writes down another tenant', async () => {
    await database.exec("CREATE TABLE t1.more (note text DEFAULT 'x')");
    await migration.query('LOCK TABLE t1.more IN ACCESS EXCLUSIVE MODE');
    const error = await inspectTenant(fleet.database, { schema: 't1' }).catch((refused: unknown) => refused);
    expect(error).toMatchObject({
      code: 'TENANT_LOCKED',
      message: expect.stringMatching(
        /^schema "t1" cannot be read: the lock ACCESS EXCLUSIVE on "more" is held by process \d+ \(application "migration"/u,
      ),
    });
    expect((await inspectTenant(fleet.database, { schema: 't2' })).files.map(({ path }) => path)).toContain(
      'base.yaml',
    );
  });

  it('an apply converges the others and leaves it for another run, which converges it', async () => {
    await migration.query('LOCK TABLE t1.items IN ACCESS EXCLUSIVE MODE');
    const directory = state(', note: text');
    const { tenants } = await fleet.apply({ directory });
    expect(tenants.map(({ schema, outcome, error }) => [schema, outcome, error?.code]).sort()).toEqual([
      ['t1', 'not-attempted', 'TENANT_LOCKED'],
      ['t2', 'converged', undefined],
      ['t3', 'converged', undefined],
    ]);
    await migration.query('ROLLBACK');
    expect((await fleet.apply({ directory })).summary).toMatchObject({ converged: 1, inSync: 2 });
  });
});

it('R6: inspect waits for a migration that ends soon', async () => {
  await migration.query('LOCK TABLE t1.items IN ACCESS EXCLUSIVE MODE');
  const found = inspectTenant(fleet.database, { schema: 't1' });
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await migration.query('COMMIT');
  expect((await found).files.map(({ text }) => text).join()).toContain('items_kind');
});

describe('R6: a migration that begins between an apply’s plan and its batch', () => {
  it('is waited for, and the tenant converges when it ends', async () => {
    const directory = state(', note: text');
    const planned = await fleet.plan({ directory });
    await migration.query('LOCK TABLE t1.items IN ACCESS EXCLUSIVE MODE');
    const waits: string[] = [];
    const { summary } = await fleet.apply(
      {
        directory,
        run: {
          observe: (event) => {
            if (event.kind !== 'tenant-waiting') return;
            waits.push(event.schema);
            void migration.query('COMMIT');
          },
        },
      },
      planned,
    );
    expect(summary).toMatchObject({ converged: 3 });
    expect(waits).toEqual(['t1']);
  });

  it('leaves the tenant for another run where it outlasts --lock-wait, and no other', async () => {
    const directory = state(', note: text');
    const planned = await fleet.plan({ directory });
    await migration.query('LOCK TABLE t1.items IN ACCESS EXCLUSIVE MODE');
    const run = { limits: { ...DEFAULT_LIMITS, lockWait: 1 } };
    const { tenants } = await fleet.apply({ directory, run }, planned);
    expect(tenants.map(({ schema, outcome }) => [schema, outcome])).toEqual([
      ['t1', 'not-attempted'],
      ['t2', 'converged'],
      ['t3', 'converged'],
    ]);
    expect(tenants[0]?.error).toMatchObject({ code: 'TENANT_LOCKED', message: LOCKED });
  });
});

it('R6: a tenant is read that a short migration holds, and its lock is waited out', async () => {
  await migration.query('LOCK TABLE t1.items, t2.items, t3.items IN ACCESS EXCLUSIVE MODE');
  await migration.query('ALTER TABLE t1.items ADD COLUMN note text');
  const planned = fleet.plan({ directory: state() });
  setTimeout(() => void migration.query('COMMIT'), 1500);
  const plan = await planned;
  expect(unreadable(plan)).toEqual([]);
  expect(plan.summary).toMatchObject({ tenants: 3, inSync: 3 });
});

it('R6: whoever waits for the lock is named as well: a plan would stand in line behind them', async () => {
  const reader = await database.connect();
  await reader.query('BEGIN; LOCK TABLE t1.items, t2.items, t3.items IN ACCESS SHARE MODE');
  const waiting = migration.query('LOCK TABLE t1.items, t2.items, t3.items IN ACCESS EXCLUSIVE MODE');
  const plan = await fleet.plan({ directory: state() });
  expect(unreadable(plan)).toEqual([
    ['t1', 'TENANT_LOCKED', expect.stringMatching(/"items" is waited for by process \d+ \(application "migration"/u)],
  ]);
  await reader.end();
  await waiting;
});

it('R6: a session that a plan gives back waits for locks as long as it did before', async () => {
  await fleet.plan({ directory: state() });
  const session = await fleet.database.connect();
  expect(await session.query('SHOW lock_timeout')).toEqual([{ lock_timeout: '0' }]);
  await session.release();
});

it('R6: a lock that others take turns at is waited for in the end as long as it takes: no plan fails for it', async () => {
  const session = await fleet.database.connect();
  const budgets: unknown[] = [];
  const lasts: boolean[] = [];
  const read = async ({ isLast }: Attempt) => {
    lasts.push(isLast);
    budgets.push(...(await session.query('SHOW lock_timeout')));
    if (budgets.length < 4) throw new DatabaseError('canceling statement due to lock timeout', '55P03');
    return 'read';
  };
  expect(await pastLocks(session, { tables: ['items'], schemas: [], progress: NO_PROGRESS }, read)).toBe('read');
  expect(lasts).toEqual([false, false, false, true]);
  expect(budgets).toEqual(['500ms', '500ms', '500ms', '0'].map((budget) => ({ lock_timeout: budget })));
  await session.release();
});

it('R6: a large fleet is read without a limit by one session alone: another would give up', async () => {
  // A lock on no tenant's table, which none can be left out for: three times it is in the way, then it is waited for.
  await database.exec(`DO $$ BEGIN FOR n IN 100..650 LOOP EXECUTE format('CREATE SCHEMA t%s', n);
    EXECUTE format('CREATE TABLE t%1$s.shops (LIKE t1.shops INCLUDING ALL)', n);
    EXECUTE format('CREATE TABLE t%1$s.items (LIKE t1.items INCLUDING DEFAULTS)', n); END LOOP; END $$`);
  await migration.query('LOCK TABLE pg_catalog.pg_attrdef IN ACCESS EXCLUSIVE MODE');
  const planned = fleet.plan({ directory: state() });
  setTimeout(() => void migration.query('COMMIT'), 3000);
  expect((await planned).summary).toMatchObject({ tenants: 554, inSync: 3, drifted: 551, unreadable: 0 });
});

it('R6: only tenants that are locked at every look are given up: in a large fleet some tenant always is, for a moment', async () => {
  const session = await fleet.database.connect();
  const other = await database.connect();
  await migration.query('LOCK TABLE t1.items IN ACCESS EXCLUSIVE MODE');
  await other.query('BEGIN; LOCK TABLE t2.items IN ACCESS EXCLUSIVE MODE');
  const found = lockedTenants(session, ['items'], []);
  await new Promise((resolve) => setTimeout(resolve, 800));
  await other.query('COMMIT; BEGIN; LOCK TABLE t3.items IN ACCESS EXCLUSIVE MODE');
  expect([...(await found).keys()]).toEqual(['t1']);
  await other.end();
  await session.release();
});
