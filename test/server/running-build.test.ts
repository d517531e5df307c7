import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { applyExitCode } from '../../src/cli/outcome-exit-codes.js';
import { insertBank, insertMemories, memberName } from '../support/banks.js';
import { type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
  await fleet.provision(['t1', 't2']);
  for (const schema of ['t1', 't2']) {
    await database.exec(insertBank(schema, 1, 'a') + insertMemories(schema, 'a', 20));
    await fleet.apply({ schemas: [schema] });
  }
});
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
});

const stateOf = async (schema: string, index: string) => {
  const [row] = await database.query<{ oid: string; valid: boolean }>(
    `SELECT indexrelid::text AS oid, indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)`,
    [`${schema}.${index}`],
  );
  return row ?? null;
};

const sameName = (schema: string, index: string) =>
  `CREATE INDEX CONCURRENTLY ${index} ON ${schema}.memory_units USING gin (search_vector)`;

it.each([
  ['an index of a declared name', 'idx_memory_units_text_search', null],
  ['a member of a family', memberName('worl', 1), `fact_type = 'world' AND bank_id = 'a'`],
])('R16: %s that another role builds is left alone, and so is its table', async (_, index, member) => {
  const role = `builder_${database.name.slice(-8)}${member === null ? '' : '_m'}`;
  await database.exec(
    `CREATE ROLE ${role} LOGIN SUPERUSER; DROP INDEX t1.${index}; DROP INDEX t1.idx_memory_units_bank_id`,
  );
  const writer = await database.connect();
  const builder = await database.connect(role);
  const [{ pid } = { pid: 0 }] = (await builder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
  await writer.query(`BEGIN; UPDATE t1.memory_units SET text = text WHERE bank_id = 'a'`);
  const building = builder.query(
    member === null
      ? sameName('t1', index)
      : `CREATE INDEX CONCURRENTLY ${index} ON t1.memory_units USING hnsw (embedding vector_cosine_ops) WHERE ${member}`,
  );
  try {
    for (let left = 500; left > 0 && (await stateOf('t1', index)) === null; left -= 1) await sleep(10);
    const begun = await stateOf('t1', index);
    expect(begun?.valid).toBe(false);
    const plan = await fleet.plan();
    const found = itemsOf(plan, 't1').map(({ change }) => change);
    expect(found.map(({ action, status, waitsFor }) => [action, status, waitsFor])).toEqual([
      ['create-index', 'deferred', 'build'],
      ['rebuild-index', 'deferred', 'build'],
    ]);
    expect(found.map(({ obstacle }) => obstacle)).toEqual(expect.arrayContaining([`session ${pid} is building it`]));
    expect(itemsOf(plan, 't2')).toEqual([]);
    await writer.query('COMMIT');
    await building;
    const outcome = await fleet.apply({ schemas: ['t1'] });
    expect(outcome.tenants.map(({ outcome: end, error }) => [end, error])).toEqual([['converged', null]]);
    // The very index that the other role has built.
    expect(await stateOf('t1', index)).toEqual({ oid: begun?.oid, valid: true });
  } finally {
    await writer.query('ROLLBACK').catch(() => {});
    await building.catch(() => {});
    await Promise.all([writer.end(), builder.end()]);
    await database.exec(`REASSIGN OWNED BY ${role} TO CURRENT_USER; DROP ROLE ${role}`);
  }
});

it('R16: an INVALID index that nobody builds is a leftover, whoever locks the table otherwise', async () => {
  const index = 'idx_memory_units_text_search';
  await database.exec(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't2.${index}'::regclass`);
  const application = await database.connect();
  await application.query(`BEGIN; UPDATE t2.memory_units SET text = text WHERE bank_id = 'a'`);
  try {
    expect(itemsOf(await fleet.plan(), 't2').map(({ change }) => [change.action, change.status])).toEqual([
      ['rebuild-index', 'pending'],
    ]);
  } finally {
    await application.query('ROLLBACK');
    await application.end();
  }
  expect((await fleet.apply({ schemas: ['t2'] })).summary).toMatchObject({ converged: 1 });
});

describe('R16: apply begins while another session builds', () => {
  const index = 'idx_memory_units_text_search';
  let role = '';
  let writer: pg.Client;
  let builder: pg.Client;
  let building: Promise<unknown>;
  let pid = 0;
  let begun: string | undefined;

  beforeAll(async () => {
    role = `builder_${database.name.slice(-8)}`;
    await database.exec(`CREATE ROLE ${role} LOGIN SUPERUSER`);
  });
  afterAll(() => database.exec(`DROP ROLE ${role}`));

  /** A build that a writer holds up, of an index that the tenant lacks. */
  async function begin(lacks: string): Promise<void> {
    await database.exec(`DROP INDEX t1.${index}; ${lacks}`);
    [writer, builder] = [await database.connect(), await database.connect(role)];
    pid = (await builder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid ?? 0;
    await writer.query(`BEGIN; UPDATE t1.memory_units SET text = text WHERE bank_id = 'a'`);
    building = builder.query(sameName('t1', index));
    building.catch(() => {});
    await expect.poll(() => stateOf('t1', index), { timeout: 10_000 }).toMatchObject({ valid: false });
    begun = (await stateOf('t1', index))?.oid;
  }
  afterEach(async () => {
    await writer?.query('ROLLBACK').catch(() => {});
    await building?.catch(() => {});
    await Promise.all([writer?.end(), builder?.end()]);
  });

  it.each([
    ['with more to do on its table', 'DROP INDEX t1.idx_memory_units_bank_id', 'converged'],
    ['with nothing else to do', '', 'in-sync'],
  ])('a tenant %s is waited for, and the other session’s index is kept', async (_, lacks, end) => {
    await begin(lacks);
    const waits: string[] = [];
    const observe = (event: ApplyEvent) => {
      if (event.kind !== 'tenant-waiting') return;
      waits.push(`${event.schema}: ${event.message}`);
      // Long after apply has begun; what it waits for ends now.
      void writer.query('COMMIT');
    };
    const outcome = await fleet.apply({ schemas: ['t1'], run: { observe } });
    expect(waits[0]).toMatch(new RegExp(`^t1: .*session ${pid} is building it$`, 'u'));
    expect(outcome.tenants.map(({ outcome: found, error }) => [found, error])).toEqual([[end, null]]);
    expect(await stateOf('t1', index)).toEqual({ oid: begun, valid: true });
    expect(itemsOf(await fleet.plan(), 't1')).toEqual([]);
  });

  it('a tenant whose build goes on for longer than --lock-wait is left for another run', async () => {
    await begin('DROP INDEX t1.idx_memory_units_bank_id');
    const outcome = await fleet.apply({ run: { limits: { ...DEFAULT_LIMITS, lockWait: 1000 } } });
    expect(outcome.tenants).toMatchObject([
      {
        schema: 't1',
        outcome: 'not-attempted',
        error: { code: 'BUILD_HELD_UP', message: expect.stringContaining(`session ${pid}`) as string },
      },
      { schema: 't2', outcome: 'in-sync', error: null },
    ]);
    expect(applyExitCode(outcome)).toBe(5);
    expect(await stateOf('t1', index)).toEqual({ oid: begun, valid: false });
    await writer.query('COMMIT');
    await building;
    expect((await fleet.apply({ schemas: ['t1'] })).summary).toMatchObject({ converged: 1 });
    expect(await stateOf('t1', index)).toEqual({ oid: begun, valid: true });
  });
});
