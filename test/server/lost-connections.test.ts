import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import type { FleetOutcome } from '../../src/apply/fleet-outcome.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { type FleetUnderTest, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { startServer, type TestServer } from '../support/postgres/server.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const FLEET = 'version: 1\ntenants: { having_tables: [notes] }\nphases: [{ name: base, file: base.yaml }]';
/** An index that takes the server a part of a millisecond a row. */
const BASE = `
tables:
  notes:
    columns: { id: { type: bigint, nullable: false }, body: text, extra: text }
    primary_key: { name: notes_pkey, columns: [id] }
    indexes:
      - { name: notes_slow, keys: [{ expression: "md5(repeat(body, 20000))" }] }
`;
const directory = temporaryDesiredState({ 'fleet.yaml': FLEET, 'base.yaml': BASE });
const SCHEMAS = ['t1', 't2', 't3', 't4'] as const;

/** So long a build takes, in milliseconds: on a faster machine it would be over before what strikes it. */
const BUILD = 500;

/** Tenants that lack a column and an index. */
const fleetSql = (rows: number) =>
  SCHEMAS.map(
    (schema) => `
  CREATE SCHEMA ${schema};
  CREATE TABLE ${schema}.notes (id bigint NOT NULL, body text, CONSTRAINT notes_pkey PRIMARY KEY (id));
  INSERT INTO ${schema}.notes SELECT n, n::text FROM generate_series(1, ${rows}) n;`,
  ).join('\n');

/** For how many rows a build takes as long as it should, on this machine. */
async function rowsOfBuild(): Promise<number> {
  const rows = 1000;
  const since = performance.now();
  await database.query(`SELECT count(md5(repeat(n::text, 20000))) FROM generate_series(1, ${rows}) n`);
  return Math.ceil((rows * BUILD) / (performance.now() - since));
}

let server: TestServer;
let database: TestDatabase;
let fleet: FleetUnderTest;
let rows: number | null = null;
beforeAll(async () => {
  server = await startServer();
});
beforeEach(async () => {
  database = await createTestDatabase({ server });
  rows ??= await rowsOfBuild();
  await database.exec(fleetSql(rows));
  fleet = await openFleet(database.url);
});
afterEach(async () => {
  await fleet?.close();
  await database?.drop();
});
afterAll(() => server?.remove());

/** Runs apply, and something else once, when it first tells of an event of this kind. */
async function applyAnd(
  moment: ApplyEvent['kind'] | null,
  strike: () => Promise<unknown>,
  { lockWait = DEFAULT_LIMITS.lockWait, batch = 250 } = {},
): Promise<FleetOutcome> {
  let struck: Promise<unknown> | null = moment === null ? strike() : null;
  const observe = (event: ApplyEvent) => {
    if (event.kind === moment) struck ??= strike();
  };
  const limits = { ...DEFAULT_LIMITS, lockWait };
  const outcome = await fleet.apply({ directory, run: { observe, limits, batch } });
  expect(struck, 'nothing was lost').not.toBeNull();
  await struck;
  return outcome;
}

/** That a run came through: all is true, and nothing of it is left. */
async function expectConverged(outcome: FleetOutcome): Promise<void> {
  expect(outcome.tenants.map(({ schema, outcome: end, error }) => [schema, end, error])).toEqual(
    SCHEMAS.map((schema) => [schema, 'converged', null]),
  );
  expect(outcome.summary).toMatchObject({ tenants: 4, converged: 4 });
  expect(outcome.ended).toBeNull();
  for (const { changes } of outcome.tenants) {
    expect(changes.map(({ result }) => result)).not.toContain('in-doubt');
    expect(
      changes
        .filter(({ result }) => result === 'applied')
        .map(({ item }) => item.change.object)
        .sort(),
    ).toEqual(['extra', 'notes_slow']);
  }
  expect((await fleet.plan({ directory })).summary).toMatchObject({ tenants: 4, inSync: 4 });
  expect(
    await database.query(
      "SELECT relname FROM pg_class WHERE relname LIKE 'trueup%' UNION SELECT indexrelid::regclass::name FROM pg_index WHERE NOT indisvalid",
    ),
  ).toEqual([]);
  await expectNoLocks();
}

async function expectNoLocks(): Promise<void> {
  const held = () =>
    database.query(
      `SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
  await expect.poll(held, { timeout: 10_000 }).toEqual([]);
}

/** Ends the run's sessions that a condition on pg_stat_activity `a` picks, once there is one. */
async function terminate(which: string): Promise<void> {
  const until = Date.now() + 20_000;
  while (Date.now() < until) {
    const ended = await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity a
        WHERE datname = current_database() AND application_name = 'trueup' AND (${which})`,
    );
    if (ended.length > 0) return;
    await sleep(5);
  }
  throw new Error(`there was no session with ${which}`);
}

const KEEPER = "EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')";
const BUILDER = "state = 'active' AND query LIKE 'CREATE INDEX CONCURRENTLY%'";
const IN_TRANSACTION = "wait_event_type = 'Lock' AND query LIKE 'BEGIN%LOCK TABLE%'";

describe.each([
  ['all tenants in one batch', { batch: 250 }],
  ['two batches at a time', { batch: 2 }],
])('a run whose connections are cut goes on by itself, to the end: %s', (_, batch) => {
  let reader: pg.Client | null = null;
  afterEach(async () => {
    await reader?.end();
    reader = null;
  });
  /** Keeps a worker inside its transaction until it has been struck. */
  const whileReading = async (strike: () => Promise<unknown>) => {
    reader = await database.connect();
    await reader.query('BEGIN; SELECT FROM t2.notes LIMIT 1');
    return async () => {
      await strike();
      await reader?.query('COMMIT');
    };
  };

  it('the keeper’s, while a worker builds', async () => {
    await expectConverged(await applyAnd('build-progress', () => terminate(KEEPER), batch));
  });

  it('the keeper’s, while a worker is in a transaction', async () => {
    const strike = await whileReading(async () => {
      await expect
        .poll(() => database.query(`SELECT FROM pg_stat_activity a WHERE ${IN_TRANSACTION}`), {
          interval: 5,
          timeout: 20_000,
        })
        .toHaveLength(1);
      await terminate(KEEPER);
    });
    await expectConverged(await applyAnd(null, strike, batch));
  });

  it('a worker’s in a transaction', async () => {
    await expectConverged(await applyAnd(null, await whileReading(() => terminate(IN_TRANSACTION)), batch));
  });

  it('a worker’s in a concurrent build', async () => {
    await expectConverged(await applyAnd('build-progress', () => terminate(BUILDER), batch));
  });

  it('all of them at once', async () => {
    await expectConverged(await applyAnd('build-progress', () => terminate('true'), batch));
  });
});

it('a worker’s place that others have taken when its connection was lost: the other workers do its part', async () => {
  await database.exec(`
    CREATE ROLE few LOGIN;
    ${SCHEMAS.map((schema) => `ALTER SCHEMA ${schema} OWNER TO few; ALTER TABLE ${schema}.notes OWNER TO few`).join(';')}`);
  await fleet.close();
  fleet = await openFleet(database.urlFor('few'));
  try {
    const outcome = await applyAnd(
      'build-progress',
      async () => {
        await database.exec('ALTER ROLE few CONNECTION LIMIT 3');
        await terminate('true');
      },
      { lockWait: 1500 },
    );
    await expectConverged(outcome);
  } finally {
    await fleet.close();
    await database.exec('DROP OWNED BY few; DROP ROLE few');
  }
});

describe('a server that crashes during the run', () => {
  it('and is back within --lock-wait: the same run converges', async () => {
    await expectConverged(await applyAnd('build-progress', () => server.restart('immediate')));
  });

  it('and stays away: the run ends in time and says what it knows; the next one does what is left', async () => {
    const lockWait = 1500;
    let stopped = 0;
    const outcome = await applyAnd(
      'build-progress',
      async () => {
        await server.stop('immediate');
        stopped = performance.now();
      },
      { lockWait },
    );
    const took = performance.now() - stopped;
    try {
      expect(outcome.ended).toBe('connection');
      // One pause between two tries may begin just before the end.
      expect(took).toBeLessThan(lockWait + 10_000);
      expect(outcome.summary).toMatchObject({ tenants: 4, notAttempted: 4 });
      expect(outcome.tenants.map(({ error }) => error?.code)).toEqual(Array(4).fill('CONNECTION_FAILED'));
      // The columns were committed; whether the build that ran is there nobody could say.
      for (const { changes } of outcome.tenants) {
        const results = new Map(changes.map(({ item, result }) => [item.change.object, result]));
        expect(results.get('extra')).toBe('applied');
        expect(results.get('notes_slow')).not.toBe('applied');
      }
    } finally {
      await server.restart();
    }
    const next = await fleet.apply({ directory });
    expect(next.summary).toMatchObject({ tenants: 4, converged: 4 });
    expect(await database.query('SELECT FROM pg_index WHERE NOT indisvalid')).toEqual([]);
    await expectNoLocks();
  });
});

describe('a server that takes no changes when it is back, as a standby before its promotion', () => {
  const readOnly = (is: boolean) =>
    database.exec(
      `BEGIN READ WRITE; ALTER DATABASE "${database.name}" SET default_transaction_read_only = ${is}; COMMIT`,
    );
  const strike = async () => {
    await readOnly(true);
    await terminate('true');
  };

  it('is waited for within --lock-wait: the same run converges', async () => {
    const outcome = await applyAnd('build-progress', async () => {
      await strike();
      await sleep(2000);
      await readOnly(false);
    });
    await expectConverged(outcome);
  });

  it('and goes on so: the run says why, and leaves what is left for the next, which does it', async () => {
    const outcome = await applyAnd('build-progress', strike, { lockWait: 1000 });
    expect(outcome.ended).toBe('connection');
    expect(outcome.summary).toMatchObject({ tenants: 4, notAttempted: 4 });
    expect(outcome.tenants.map(({ error }) => error?.code)).toEqual(Array(4).fill('SERVER_READ_ONLY'));
    await readOnly(false);
    expect((await fleet.apply({ directory })).summary).toMatchObject({ tenants: 4, converged: 4 });
  });
});
