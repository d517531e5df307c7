import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bankNumber, createBank, deleteBank } from '../support/chaos/application.js';
import { APPLICATION, expectNothingTwice, expectTruthfulReports } from '../support/chaos/appliers.js';
import { damageStatements } from '../support/chaos/damages.js';
import { leftovers } from '../support/chaos/evidence.js';
import { APPLIER, type ChaosFleet, openChaosFleet, TENANTS, targetFlags } from '../support/chaos/fleet.js';
import { type Ended, runProgram } from '../support/chaos/program.js';
import { logPosition, readLog } from '../support/chaos/server-log.js';
import type { TestDatabase } from '../support/test-database.js';

/** How many tries of each; `npm run test:chaos` asks for 20. */
const ROUNDS = Number(process.env.TRUEUP_APPLIERS_ROUNDS ?? 1);
const BOUND = 180_000;
const NAMES = ['first', 'second'] as const;

let fleet: ChaosFleet;
beforeAll(async () => {
  fleet = await openChaosFleet({ small: { memories: 100, audits: 10 }, big: { memories: 1500, audits: 10 } });
}, 300_000);
afterAll(async () => fleet?.close());

const rounds = Array.from({ length: ROUNDS }, (_, at) => at + 1);

describe('R3: two appliers at once, indexes missing on populated tables', () => {
  it.each(rounds)(
    'never deadlock, build nothing twice, and both end in sync (try %i)',
    { timeout: BOUND },
    async () => {
      const { ends, log, database } = await race(async () => {});
      try {
        expectNothingTwice(log);
        expectTruthfulReports(ends, NAMES, log);
        await expectInSync(database);
      } finally {
        await database.drop();
      }
    },
  );

  it.each(rounds)('the same while the application makes and deletes banks (try %i)', { timeout: BOUND }, async () => {
    let made = 0;
    const { ends, log, database } = await race(async (under, running) => {
      const client = await under.connect(APPLIER);
      await client.query(`SET application_name = '${APPLICATION}'`);
      for (let number = 1; running(); number += 1) {
        const bank = bankNumber(TENANTS[(number * 7) % TENANTS.length] ?? '', number);
        await createBank(client, bank);
        // Some banks a second: without a pause no build would ever be let through.
        await sleep(250);
        // Every other one stays.
        if (number % 2 === 0) await deleteBank(client, bank);
        made = number;
      }
    });
    try {
      process.stderr.write(`${made} banks were made beside the two\n`);
      expect(made).toBeGreaterThan(5);
      expectNothingTwice(log);
      for (const ended of ends) expect(ended.code, troubles(ended)).toBe(0);
      await expectInSync(database);
    } finally {
      await database.drop();
    }
  });
});

/** Two runs of the program on a damaged copy, and something beside them as long as one of them runs. */
async function race(beside: (database: TestDatabase, running: () => boolean) => Promise<void>): Promise<{
  readonly ends: readonly Ended[];
  readonly log: ReturnType<typeof readLog>;
  readonly database: TestDatabase;
}> {
  const database = await fleet.copy();
  for (const schema of TENANTS)
    for (const damage of ['every member missing', 'indexes missing', 'text index missing'] as const)
      for (const sql of damageStatements(damage, schema)) await database.query(sql);
  const from = logPosition(fleet.server.logFile);
  let running = true;
  const both = Promise.all(
    NAMES.map((name, at) => {
      const url = new URL(database.urlFor(APPLIER));
      url.searchParams.set('application_name', name);
      // On a busy machine one of the two may hold a batch of tenants for longer than the usual half minute.
      const batch = at === 0 ? [] : ['--batch', '3'];
      return runProgram(['apply', '--yes', '--lock-wait', '2min', ...batch, ...targetFlags(url.href)], BOUND);
    }),
  ).finally(() => {
    running = false;
  });
  const [ends] = await Promise.all([both, beside(database, () => running)]);
  return { ends, log: readLog(fleet.server.logFile, from), database };
}

/** What a run says of the tenants that it left or failed, for whoever reads a failed test. */
function troubles({ stdout, stderr }: Ended): string {
  if (stdout === '') return stderr;
  const { tenants } = JSON.parse(stdout) as { tenants: { schema: string; outcome: string; error?: unknown }[] };
  const bad = tenants.filter(({ outcome }) => outcome !== 'converged');
  return JSON.stringify(bad.map(({ schema, outcome, error }) => ({ schema, outcome, error })));
}

async function expectInSync(database: TestDatabase): Promise<void> {
  const plan = await runProgram(['plan', '--detailed-exitcode', ...targetFlags(database.urlFor(APPLIER))]);
  expect(plan.code, plan.stdout.slice(0, 4000)).toBe(0);
  expect(await leftovers(database)).toEqual([]);
}
