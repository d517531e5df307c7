import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bankNumber, createBank } from '../support/chaos/application.js';
import { type DamageName, damageStatements } from '../support/chaos/damages.js';
import { leftovers } from '../support/chaos/evidence.js';
import { type Load, longest, startLoad } from '../support/chaos/load.js';
import { told } from '../support/chaos/play.js';
import { type Ended, runProgram, startProgram } from '../support/chaos/program.js';
import { fillTenant, makeEmbeddings } from '../support/chaos/rows.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Default budget of all locks of one transaction, in milliseconds. */
const LOCK_TIMEOUT = 500;
/** How long the application may wait behind a build of this test, in milliseconds. */
const YIELD_AFTER = 1000;
/** What a busy machine takes to look, to cancel and to run the statement, in milliseconds. */
const REACTION = 1500;
const SCHEMAS = ['busy_a', 'busy_b', 'busy_c'] as const;
/** Memories of each busy tenant. */
const ROWS = 1000;
/** Memories of the tenant with the long build. */
const MANY = 9000;
const LONG = 'long_build';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.exec(makeEmbeddings(MANY));
  await finished(['apply', '--create-schema', ...[...SCHEMAS, LONG].flatMap((schema) => ['--schema', schema])]);
  // The members of these banks are missing until apply makes them.
  for (const schema of SCHEMAS) await database.exec(fillTenant(schema, { memories: ROWS, audits: 5000 }));
}, 120_000);
afterAll(async () => database?.drop());

const program = (argv: readonly string[]): readonly string[] => [...argv, '--database-url', database.url, '--json'];

async function finished(argv: readonly string[]): Promise<Ended> {
  const ended = await runProgram(program([...argv, ...(argv[0] === 'apply' ? ['--yes'] : [])]));
  if (ended.code !== 0) throw new Error(`${argv[0]} ended with ${told(ended)}`);
  return ended;
}

const DAMAGES: readonly DamageName[] = [
  'NOT NULL missing',
  'another default',
  'indexes missing',
  'columns missing',
  'CHECK missing',
  'FOREIGN KEY missing',
  'a column with a volatile default missing',
  'an index of other keys',
  'UNIQUE missing',
  'a narrower column',
];

it('lets the application write and read while populated tables are changed: no wait beyond the lock budget', async () => {
  for (const schema of SCHEMAS)
    for (const damage of DAMAGES) for (const sql of damageStatements(damage, schema)) await database.query(sql);
  const clients = await Promise.all(Array.from({ length: SCHEMAS.length * 3 }, () => database.connect()));
  const before = await counts();

  const idle = startApplication(clients);
  await sleep(3000);
  const alone = await idle.stop();

  const load = startApplication(clients);
  const slow = startSlowTransactions(await database.connect());
  let ended: Ended;
  try {
    ended = await finished(['apply', ...SCHEMAS.flatMap((schema) => ['--schema', schema])]);
  } finally {
    await slow.stop();
  }
  const beside = await load.stop();

  const machine = longest(alone);
  const most = longest(beside);
  process.stderr.write(
    `longest wait of ${most.count} statements beside apply (${ended.took} ms): ${most.ms.toFixed(0)} ms (${most.loop}); of ${machine.count} without it: ${machine.ms.toFixed(0)} ms\n`,
  );
  expect(most.ms).toBeLessThan(LOCK_TIMEOUT + Math.max(100, 2 * machine.ms));
  const inserted = [...alone, ...beside].filter(({ loop }) => loop.startsWith('insert')).length;
  expect((await counts()) - before).toBe(inserted);
  await finished(['plan', '--detailed-exitcode', ...SCHEMAS.flatMap((schema) => ['--schema', schema])]);
  expect(await leftovers(database)).toEqual([]);
}, 180_000);

describe('R15: a build gives way', () => {
  beforeAll(async () => {
    await database.exec(fillTenant(LONG, { memories: 100, audits: 10 }));
    // One member over all of them, so that its build lasts some seconds.
    await database.exec(
      `INSERT INTO ${LONG}.memory_units (bank_id, text, fact_type, embedding) SELECT 'second', 'one of many', 'world', embedding FROM embeddings`,
    );
  }, 60_000);

  it('at once to a bank that is made, whose transaction the build would wait for in the end', async () => {
    const maker = await database.connect();
    const { waited, written } = await whileBuilding(() => createBank(maker, bankNumber(LONG, 1)));
    process.stderr.write(
      `a bank was made in ${waited} ms beside a build, the longest of ${written.count} inserts took ${written.ms.toFixed(0)} ms\n`,
    );
    expect(Math.max(waited, written.ms)).toBeLessThan(YIELD_AFTER + REACTION);
  }, 120_000);
});

/**
 * Does something of the application's while the long build runs, with inserts beside; apply gives way, and converges the
 * tenant in the end. Gives how long it took, in milliseconds, and the longest of the inserts.
 */
async function whileBuilding(act: () => Promise<void>) {
  const writer = await database.connect();
  const before = await rowsOfLong();
  const running = startProgram(
    program(['apply', '--yes', '--events', '--schema', LONG, '--yield-after', `${YIELD_AFTER}ms`]),
    110_000,
  );
  let over: Ended | null = null;
  const end = running.ended.then((ended) => {
    over = ended;
    return ended;
  });
  await until(async () => {
    if (over !== null) throw new Error(`apply ended before its build was seen: ${told(over)}`);
    const [row] = await database.query<{ building: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE datname = current_database() AND tuples_done > 200) building`,
    );
    return row?.building === true;
  });
  const began = Date.now();
  const acting = act();
  const writes = startLoad([
    {
      name: 'insert',
      client: writer,
      statement: (turn) => `INSERT INTO ${LONG}.memory_units (bank_id, text) VALUES ('second', 'late ${turn}')`,
    },
  ]);
  await acting;
  const waited = Date.now() - began;
  await sleep(200);
  const written = longest(await writes.stop());
  const ended = await end;
  if (ended.code !== 0) throw new Error(told(ended));
  expect(ended.stderr).toContain('"build-yielded"');
  await finished(['plan', '--detailed-exitcode', '--schema', LONG]);
  expect(await leftovers(database)).toEqual([]);
  expect((await rowsOfLong()) - before).toBe(written.count);
  return { waited, written };
}

async function rowsOfLong(): Promise<number> {
  const [row] = await database.query<{ rows: number }>(`SELECT count(*)::int "rows" FROM ${LONG}.memory_units`);
  return row?.rows ?? 0;
}

/** An inserter, an updater and a reader for each tenant; statements of columns that are never missing. */
function startApplication(clients: readonly pg.Client[]): Load {
  return startLoad(
    SCHEMAS.flatMap((schema, at) => {
      const [insert, update, read] = clients.slice(at * 3, at * 3 + 3) as [pg.Client, pg.Client, pg.Client];
      return [
        {
          name: `insert ${schema}`,
          client: insert,
          statement: (turn: number) =>
            turn % 2 === 0
              ? `INSERT INTO ${schema}.memory_units (bank_id, text, fact_type, created_at) VALUES ('second', 'said', 'world', now())`
              : `INSERT INTO ${schema}.audit_log (action, transport) VALUES ('said', 'http')`,
        },
        {
          name: `update ${schema}`,
          client: update,
          statement: (turn: number) =>
            `UPDATE ${schema}.memory_units SET text = text || '.' WHERE id = md5('${schema}${1 + (turn % ROWS)}')::uuid`,
        },
        {
          name: `read ${schema}`,
          client: read,
          statement: () =>
            `SELECT count(*) FROM ${schema}.memory_units m JOIN ${schema}.entities e USING (bank_id) WHERE m.bank_id = 'second' AND m.fact_type = 'experience' AND e.mention_count > 5`,
        },
      ];
    }),
  );
}

/** Transactions that hold their locks for a second: what makes apply give up a lock, with others queued behind it. */
function startSlowTransactions(client: pg.Client): { stop(): Promise<void> } {
  let running = true;
  const all = (async () => {
    for (let turn = 0; running; turn += 1) {
      const schema = SCHEMAS[turn % SCHEMAS.length];
      await client.query('BEGIN');
      await client.query(`UPDATE ${schema}.memory_units SET context = 'slow' WHERE text = 'memory 7'`);
      await sleep(1000);
      await client.query('COMMIT');
      await sleep(500);
    }
  })();
  all.catch(() => {});
  return {
    stop: async () => {
      running = false;
      await all;
    },
  };
}

async function counts(): Promise<number> {
  const sql = SCHEMAS.map(
    (schema) => `(SELECT count(*) FROM ${schema}.memory_units) + (SELECT count(*) FROM ${schema}.audit_log)`,
  );
  const [row] = await database.query<{ n: string }>(`SELECT ${sql.join(' + ')} n`);
  return Number(row?.n);
}

async function until(condition: () => Promise<boolean>, bound = 30_000): Promise<void> {
  const end = Date.now() + bound;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('what was waited for did not happen');
    await sleep(5);
  }
}
