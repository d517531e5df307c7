import { expect, it, vi } from 'vitest';
import { type Backfill, type Filled, runBackfill } from '../../src/apply/backfill.js';
import type { Worker } from '../../src/apply/crew.js';
import { statementsOf } from '../../src/apply/statements.js';
import { DatabaseError, type Row } from '../../src/database/session.js';
import { FILLED_TO, TABLE_START } from '../../src/sql/ddl/backfill.js';
import { backfill } from '../support/plan-fixture.js';

const statement =
  statementsOf({ change: backfill('token'), members: null }, { schema: 't1', owner: null }).find(
    ({ step }) => step.mode === 'backfill',
  ) ?? expect.fail();

/** A worker whose batches come to this; `begun` takes where each began, `left` tells how many rows are left. */
const worker = (batch: () => Promise<readonly Row[]>, begun: string[] = [], left = () => 0): Worker =>
  ({
    activity: null,
    session: {
      query: async (text: string, parameters: readonly string[] = []) => {
        if (text === statement.sql) return batch();
        if (text === statement.offenders?.sql) return [{ n: left() }];
        const at = parameters.indexOf(FILLED_TO);
        if (at !== -1) begun.push(parameters[at + 1] ?? '');
        return [{ blocks: 40 }];
      },
      script: async () => [],
    },
  }) as unknown as Worker;

const about = (fields: Partial<Backfill>): Backfill => ({
  schema: 't1',
  table: 'items',
  limits: { lockTimeout: 1, attempts: 9 },
  goesOn: () => true,
  tell: () => {},
  ...fields,
});

it('a backfill that waits to try a batch again ends with the run, or when others wait for the tenant’s lock', async () => {
  // It comes back after four seconds.
  const random = vi.spyOn(Math, 'random').mockReturnValue(20);
  let goesOn = true;
  const locked = worker(async () => {
    setTimeout(() => {
      goesOn = false;
    }, 10);
    throw new DatabaseError('canceling statement due to lock timeout', '55P03');
  });
  const since = performance.now();
  try {
    expect(await runBackfill(locked, statement, about({ goesOn: () => goesOn }))).toBe(false);
  } finally {
    random.mockRestore();
  }
  expect(performance.now() - since).toBeLessThan(2000);
});

it('a backfill begins each batch where the last one ended, and goes on until a pass leaves no row', async () => {
  const batches = [['(9,1)'], ['(17,3)'], [null], ['(2,2)'], [null]];
  const begun: string[] = [];
  const filling = worker(
    async () => (batches.shift() ?? expect.fail('one batch too many')).map((reached) => ({ missing: false, reached })),
    begun,
    () => batches.length,
  );
  expect(await runBackfill(filling, statement, about({}))).toBe(true);
  expect(begun).toEqual([TABLE_START, '(9,1)', '(17,3)', TABLE_START, '(2,2)']);
  expect(batches).toEqual([]);
});

it('a backfill whose batches update none of the rows that are left tries again, and fails in the end', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(-0.49);
  const batches: (readonly Row[])[] = [[], [], [{ missing: false, reached: null }], [], [], [], []];
  const filling = worker(
    async () => batches.shift() ?? [],
    [],
    () => 1,
  );
  try {
    await expect(
      runBackfill(filling, statement, about({ limits: { lockTimeout: 1, attempts: 3 } })),
    ).rejects.toMatchObject({ code: 'TENANT_FAILED', message: expect.stringContaining('items') });
  } finally {
    vi.restoreAllMocks();
  }
  expect(batches).toHaveLength(1);
});

it('a backfill tells four times a second how far it is, and never that it goes back', async () => {
  const batches = ['(9,1)', '(17,3)', null, '(2,2)', '(99,1)', null, null];
  let now = 1000;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const told: Filled[] = [];
  const filling = worker(
    async () => {
      now += 150;
      const reached = batches.shift() ?? null;
      return Array.from({ length: 3 }, () => ({ missing: false, reached }));
    },
    [],
    () => batches.length,
  );
  try {
    await runBackfill(filling, statement, about({ tell: (filled) => told.push(filled) }));
  } finally {
    clock.mockRestore();
  }
  expect(told).toEqual([
    { rows: 6, done: 17, total: 40 },
    { rows: 12, done: 17, total: 40 },
    { rows: 18, done: 40, total: 40 },
  ]);
});
