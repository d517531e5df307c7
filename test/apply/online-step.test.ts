import { beforeEach, expect, it } from 'vitest';
import type { Worker } from '../../src/apply/crew.js';
import { runOnline } from '../../src/apply/online-step.js';
import { statementsOf } from '../../src/apply/statements.js';
import { DatabaseError } from '../../src/database/session.js';
import { sql } from '../../src/sql/template.js';
import { addColumn } from '../support/plan-fixture.js';

const DEFAULTS = { buildTimeout: 1000, settings: {} };
const [build] = statementsOf(
  {
    change: addColumn('a', {
      steps: [
        {
          sql: sql`CREATE INDEX CONCURRENTLY slow ON items (body)`,
          mode: 'online',
          lock: { mode: 'SHARE UPDATE EXCLUSIVE', table: 'items' },
          builds: 'slow',
        },
      ],
    }),
    members: null,
  },
  { schema: 't', owner: null },
);

/** What the session was asked for, in order. */
let sent: string[];
/** What the watch does while a statement runs, and how that ends. */
let during: Readonly<Record<string, () => Promise<void>>>;
const worker = {
  activity: null,
  session: {
    query: async (text: string) => {
      const [verb = ''] = /^(?:CREATE|DROP|SET|select \S+)/u.exec(text) ?? [];
      sent.push(verb);
      await during[verb]?.();
      return [{ valid: true, leftover: true }];
    },
    script: async () => {
      sent.push('reset');
      return [];
    },
  },
} as unknown as Worker;
beforeEach(() => {
  sent = [];
});

const run = () => runOnline(worker, 't', build ?? expect.fail(), 'slow', DEFAULTS);
const yieldNow = async () => {
  if (worker.activity !== null) worker.activity.yielded = { pid: 4711, waited: 3000 };
};
const cancelled = (by: string) => new DatabaseError(`canceling statement due to ${by}`, '57014');

it('R15: a build that is cancelled for somebody who waits behind it gave way to them', async () => {
  during = {
    CREATE: async () => {
      await yieldNow();
      throw cancelled('user request');
    },
  };
  await expect(run()).rejects.toMatchObject({
    code: 'BUILD_YIELDED',
    message: 'the build gave way to process 4711, which had waited behind it for 3.0 s',
  });
});

it('R15: one that runs into its own time limit has not given way: not by the one before it, nor by its clean-up', async () => {
  during = { CREATE: yieldNow };
  await run();
  during = {
    CREATE: async () => {
      throw cancelled('statement timeout');
    },
    DROP: async () => {
      await yieldNow();
      throw cancelled('user request');
    },
  };
  await expect(run()).rejects.toMatchObject({ code: '57014', message: expect.stringContaining('timeout') });
  expect(sent).toContain('DROP');
});

it('R15: nothing follows a build on its connection before a cancellation that is under way has come', async () => {
  let come = () => {};
  during = {
    CREATE: async () => {
      if (worker.activity !== null)
        worker.activity.cancelling = new Promise<void>((resolve) => {
          come = resolve;
        });
    },
  };
  const running = run();
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(sent.at(-1)).toBe('CREATE');
  come();
  await running;
  expect(sent.at(-1)).toBe('reset');
});
