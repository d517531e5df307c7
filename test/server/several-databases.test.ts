import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { applyFleet } from '../../src/apply/apply-fleet.js';
import { type ApplyRequest, DEFAULT_LIMITS, runDefaults } from '../../src/apply/request.js';
import { applyExitCode, planExitCode } from '../../src/cli/outcome-exit-codes.js';
import { closeDatabases, openDatabases } from '../../src/database/open-database.js';
import type { Database } from '../../src/database/session.js';
import { resolveTargets } from '../../src/database/target.js';
import { planFleet } from '../../src/plan/plan-fleet.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { planDocument } from '../../src/report/plan-json.js';
import { startProxy } from '../support/chaos/proxy.js';
import { loadShipped } from '../support/fleet.js';
import { itemsTenant, writeItems } from '../support/items.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const items = writeItems();
let eu: TestDatabase;
let us: TestDatabase;
beforeAll(async () => {
  [eu, us] = await Promise.all([createTestDatabase(), createTestDatabase()]);
});
afterAll(async () => {
  items.remove();
  await eu?.drop();
  await us?.drop();
});
beforeEach(async () => {
  for (const database of [eu, us]) {
    await database.exec('DROP SCHEMA IF EXISTS a CASCADE; DROP SCHEMA IF EXISTS b CASCADE');
    // The same names in both: nothing may be told apart by a schema's name alone.
    await database.exec(`${itemsTenant('a', { without: ['note'] })} ${itemsTenant('b')}`);
  }
});

async function request(run: Partial<ApplyRequest> = {}): Promise<ApplyRequest> {
  const selection = { schemas: [], exclude: [], allowEmpty: false, allowAbsent: false };
  const desired = await loadShipped({ directory: items.directory });
  return { desired, selection, allow: new Set(), progress: NO_PROGRESS, ...runDefaults(), ...run };
}

async function withDatabases<T>(urls: readonly string[], work: (databases: readonly Database[]) => Promise<T>) {
  const environment = { HOME: '/nowhere' };
  const targets = resolveTargets({ databaseUrls: urls, variables: [], listed: [], environment });
  const databases = await openDatabases(targets, { maxSessions: 4 });
  try {
    return await work(databases);
  } finally {
    await closeDatabases(databases);
  }
}

const both = () => [`eu=${eu.url}`, `us=${us.url}`];
const gone = () => `gone=postgresql://127.0.0.1:1/${eu.name}?connect_timeout=2`;

it('several databases are planned together: one drift class over both, each tenant with its database', async () => {
  const plan = await withDatabases(both(), async (databases) => planFleet(databases, await request()));
  expect(plan.summary).toMatchObject({ tenants: 4, inSync: 2, drifted: 2, shapes: 4 });
  const document = planDocument(plan, { showValues: false });
  expect(document.driftClasses.map(({ tenants }) => tenants)).toEqual([
    [
      { database: 'eu', schema: 'a' },
      { database: 'us', schema: 'a' },
    ],
  ]);
  expect(document.databases.map(({ id, name }) => [id, name])).toEqual([
    ['eu', eu.name],
    ['us', us.name],
  ]);
});

it('one that cannot be reached hides none of the others, and is an error in the end', async () => {
  await withDatabases([gone(), ...both()], async (databases) => {
    const asked = await request();
    const plan = await planFleet(databases, asked);
    expect(plan.failedDatabases).toMatchObject([{ database: 'gone', code: 'CONNECTION_FAILED' }]);
    expect(plan.summary).toMatchObject({ tenants: 4, drifted: 2 });
    expect(planExitCode(plan, { detailed: true })).toBe(1);
    const outcome = await applyFleet(databases, plan, asked);
    expect(outcome.summary).toMatchObject({ converged: 2, inSync: 2 });
    expect(outcome.failedDatabases).toMatchObject([{ database: 'gone' }]);
    expect(applyExitCode(outcome)).toBe(1);
    expect((await planFleet(databases, asked)).summary).toMatchObject({ drifted: 0 });
  });
});

it('when none can be reached that is an error, and no plan', async () => {
  await withDatabases([gone()], async (databases) => {
    await expect(planFleet(databases, await request())).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });
});

it('two names for one database are refused', async () => {
  await withDatabases([`eu=${eu.url}`, `again=${eu.url}`], async (databases) => {
    await expect(planFleet(databases, await request())).rejects.toMatchObject({ code: 'USAGE' });
  });
});

it('one whose server goes away in the middle ends its own part only, and each of its tenants says why', async () => {
  const proxy = await startProxy(Number(new URL(eu.url).port));
  const through = new URL(eu.url);
  through.port = String(proxy.port);
  await eu.exec(itemsTenant('c', { without: ['note'] }));
  await us.exec(`DROP SCHEMA b CASCADE; ${itemsTenant('b', { without: ['note'] })}`);
  try {
    await withDatabases([`eu=${through.href}`, `us=${us.url}`], async (databases) => {
      const cut: Promise<void>[] = [];
      const asked = await request({
        batch: 1,
        limits: { ...DEFAULT_LIMITS, lockWait: 100 },
        observe: (event) => {
          if (event.kind === 'batch-started' && event.database === 'eu' && cut.length === 0) cut.push(proxy.close());
        },
      });
      const outcome = await applyFleet(databases, await planFleet(databases, asked), asked);
      await Promise.all(cut);
      expect(outcome.tenants.map(({ database, schema, outcome: end }) => [database, schema, end])).toEqual([
        ['eu', 'a', 'not-attempted'],
        ['eu', 'b', 'in-sync'],
        ['eu', 'c', 'not-attempted'],
        ['us', 'a', 'converged'],
        ['us', 'b', 'converged'],
      ]);
      for (const { error } of outcome.tenants.filter(({ outcome: end }) => end === 'not-attempted'))
        expect(error).toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining(`${eu.name} on`) });
      expect(outcome.ended).toBeNull();
      expect(applyExitCode(outcome)).toBe(5);
    });
  } finally {
    await proxy.close();
    await eu.exec('DROP SCHEMA c CASCADE');
  }
});

it('R12: canaries and failures count over all databases', async () => {
  for (const database of [eu, us]) {
    await database.exec('DROP SCHEMA a CASCADE');
    await database.exec(itemsTenant('a', { rows: 1, nameless: true, without: ['not-null'] }));
  }
  await us.exec(`DROP SCHEMA b CASCADE; ${itemsTenant('b', { without: ['note'] })}`);
  await withDatabases(both(), async (databases) => {
    const canary = await request({ canary: 1 });
    const first = await applyFleet(databases, await planFleet(databases, canary), canary);
    expect(first).toMatchObject({ ended: 'canary', summary: { failed: 1, notAttempted: 2, inSync: 1 } });
    const bound = await request({ maxFailures: { tenants: 2 } });
    const second = await applyFleet(databases, await planFleet(databases, bound), bound);
    expect(second.summary).toMatchObject({ failed: 2 });
    expect(second.ended).toBe('max-failures');
  });
});
