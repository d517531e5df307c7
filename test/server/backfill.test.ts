import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ApplyEvent } from '../../src/apply/events.js';
import { DEFAULT_LIMITS } from '../../src/apply/request.js';
import { backfillBatch, FILLED_TO } from '../../src/sql/ddl/backfill.js';
import { renderSql } from '../../src/sql/template.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { temporaryDesiredState } from '../support/library.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const state = (columns: string) =>
  temporaryDesiredState({
    'fleet.yaml': `version: 1
tenants: { having_tables: [items] }
migration_lock: { key: hashtext(schema) }
phases: [{ name: base, file: base.yaml }]`,
    'base.yaml': `tables: { items: { columns: { id: int, ${columns} } } }`,
  });
/** What takes the server longer, the more is repeated. */
const slow = (times: number) => state(`slow: { type: text, default: "md5(repeat(random()::text, ${times}))" }`);

let database: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
});
afterEach(() => database.exec('DROP SCHEMA IF EXISTS t1 CASCADE'));
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
});

const make = (rows: number) =>
  database.exec(
    `CREATE SCHEMA t1; CREATE TABLE t1.items (id int); INSERT INTO t1.items SELECT generate_series(1, ${rows})`,
  );

it('C9: a default that differs from row to row is given to old rows in batches, and one that is NULL ends all the same', async () => {
  await make(4500);
  const directory = state(
    `token: { type: uuid, default: gen_random_uuid(), nullable: false }, who: { type: text, default: "current_setting('app.who', true)" }`,
  );
  const outcome = await fleet.apply({ directory });
  expect(outcome.tenants.map(({ outcome: end, error }) => [end, error])).toEqual([['converged', null]]);
  expect(
    await database.query('SELECT count(DISTINCT token)::int AS tokens, count(who)::int AS named FROM t1.items'),
  ).toEqual([{ tokens: 4500, named: 0 }]);
  expect(changesOf(await fleet.plan({ directory }), 't1')).toEqual([]);
});

it('C9: a batch of a backfill begins where the last one ended, whatever the size of the table', async () => {
  await make(20_000);
  const batch = renderSql(backfillBatch('items', 'id'), { schema: 't1' });
  await database.exec(`SET ${FILLED_TO} = '(80,0)'`);
  const plan = await database.query(`EXPLAIN (COSTS OFF) ${batch}`);
  expect(plan.map((row) => String(row['QUERY PLAN'])).join('\n')).toMatch(
    /TID Cond: \(ctid > [^\n]*trueup\.filled_to/u,
  );
});

it('C9: a row of a table that inherits is given one value, though rows of its parent stand at the same place', async () => {
  await make(5000);
  await database.exec(`CREATE SEQUENCE counter; CREATE TABLE t1.more () INHERITS (t1.items);
    INSERT INTO t1.more SELECT generate_series(5001, 9000)`);
  const { tenants } = await fleet.apply({
    directory: state(`number: { type: int, default: "nextval('public.counter')", nullable: false }`),
  });
  expect(tenants.map(({ outcome, error }) => [outcome, error])).toEqual([['converged', null]]);
  expect(
    await database.query('SELECT max(number) AS last, count(DISTINCT number)::int AS numbers FROM t1.items'),
  ).toEqual([{ last: 9000, numbers: 9000 }]);
});

it('C9: a table with a rule that does something besides an UPDATE is filled as any other', async () => {
  await make(3);
  await database.exec(
    'CREATE TABLE t1.notes (id int); CREATE RULE noted AS ON UPDATE TO t1.items DO ALSO INSERT INTO t1.notes VALUES (NEW.id)',
  );
  const outcome = await fleet.apply({ directory: state('token: { type: uuid, default: gen_random_uuid() }') });
  expect(outcome.tenants.map(({ outcome: end, error }) => [end, error])).toEqual([['converged', null]]);
  expect(await database.query('SELECT FROM t1.items WHERE token IS NULL')).toEqual([]);
});

it('C9: a small table is filled by one batch, and looked at once more', async () => {
  await make(3);
  fleet.forget();
  await fleet.apply({ directory: state('token: { type: uuid, default: gen_random_uuid() }') });
  const of = (pattern: RegExp) => fleet.statements.filter((sql) => pattern.test(sql));
  expect(of(/^UPDATE t1\.items/u)).toHaveLength(1);
  expect(of(/ FROM t1\.items AS t WHERE t\.trueup_\w+ IS NULL/u)).toHaveLength(1);
});

it('C9: rows that the application changes while a batch waits for them get their values too', async () => {
  await make(1000);
  const application = await database.connect();
  const changing = application.query(
    'DO $$ BEGIN FOR n IN 1..15 LOOP UPDATE t1.items SET id = -id; PERFORM pg_sleep(0.2); COMMIT; END LOOP; END $$',
  );
  try {
    const { tenants } = await fleet.apply({ directory: state('token: { type: uuid, default: gen_random_uuid() }') });
    expect(tenants.map(({ outcome, error }) => [outcome, error])).toEqual([['converged', null]]);
  } finally {
    await changing;
    await application.end();
  }
  expect(await database.query('SELECT FROM t1.items WHERE token IS NULL')).toEqual([]);
});

it('C9: rows that a trigger keeps as they are fail their tenant, and the column does not get its name', async () => {
  await make(4500);
  await database.exec(`CREATE FUNCTION t1.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER kept BEFORE UPDATE ON t1.items FOR EACH ROW WHEN (old.id BETWEEN 2001 AND 4000) EXECUTE FUNCTION t1.keep()`);
  const directory = state('token: { type: uuid, default: gen_random_uuid() }');
  const { tenants } = await fleet.apply({ directory, run: { limits: { ...DEFAULT_LIMITS, attempts: 2 } } });
  expect(tenants.map(({ outcome, error }) => [outcome, error?.message])).toEqual([
    ['failed', 'rows of items are left without a value: UPDATE leaves them as they are'],
  ]);
  await database.exec('ALTER TABLE t1.items DISABLE TRIGGER kept');
  await fleet.apply({ directory });
  expect(await database.query('SELECT FROM t1.items WHERE token IS NULL')).toEqual([]);
});

it('C9: rows that move in front of where a backfill is get their values too', async () => {
  await make(20_000);
  const mover = await database.connect();
  const running = fleet.apply({ directory: slow(2000) });
  try {
    // Under its temporary name.
    const filled = async () => {
      const rows = await database.query("SELECT FROM t1.items t WHERE to_jsonb(t)::text ~ '[0-9a-f]{32}'");
      return rows.length;
    };
    await expect.poll(filled, { timeout: 20_000, interval: 20 }).toBeGreaterThan(3000);
    // Makes room at the table's start, where the rows were that are filled by now.
    await mover.query('VACUUM t1.items');
    const moved = await mover.query(
      'UPDATE t1.items SET id = -id WHERE id > 19500 RETURNING (ctid::text::point)[0] AS block',
    );
    expect(moved.rows.some(({ block }) => block < 5)).toBe(true);
    expect((await running).tenants.map(({ outcome, error }) => [outcome, error])).toEqual([['converged', null]]);
  } finally {
    await running;
    await mover.end();
  }
  expect(await database.query('SELECT FROM t1.items WHERE slow IS NULL')).toEqual([]);
});

describe('a backfill', () => {
  const milliseconds = async (work: () => Promise<unknown>): Promise<number> => {
    const from = performance.now();
    await work();
    return performance.now() - from;
  };

  it('waits for a row that the application holds no longer than for any lock, and others do not wait behind it', async () => {
    await make(6000);
    const [holder, other] = [await database.connect(), await database.connect()];
    const running = fleet.apply({ directory: slow(2000) });
    try {
      const begun = () => database.query("SELECT FROM pg_stat_activity WHERE query LIKE 'UPDATE %ctid%'");
      await expect.poll(begun, { timeout: 10_000, interval: 5 }).toHaveLength(1);
      // In the last batch, as are those before it.
      await holder.query('BEGIN; UPDATE t1.items SET id = id WHERE id = 5900');
      const waiting = () => database.query("SELECT FROM pg_stat_activity WHERE wait_event = 'transactionid'");
      await expect.poll(waiting, { timeout: 10_000, interval: 5 }).toHaveLength(1);
      const held = sleepThen(2500, () => holder.query('COMMIT'));
      expect(await milliseconds(() => other.query('UPDATE t1.items SET id = id WHERE id = 4100'))).toBeLessThan(1500);
      await held;
      expect((await running).tenants.map(({ outcome, error }) => [outcome, error])).toEqual([['converged', null]]);
    } finally {
      await holder.query('ROLLBACK');
      await running;
      await Promise.all([holder.end(), other.end()]);
    }
  });

  it('tells how far it is', async () => {
    await make(20_000);
    const events: ApplyEvent[] = [];
    await fleet.apply({ directory: slow(2000), run: { observe: (event) => events.push(event) } });
    const told = events.filter(({ kind }) => kind === 'backfill-progress');
    expect(told.length).toBeGreaterThan(0);
    expect(told[0]).toMatchObject({ schema: 't1', table: 'items', column: 'slow', total: 89 });
  });

  it('stops at a batch’s end for the application’s migration, which waits for the tenant’s lock, and goes on after it', async () => {
    await make(20_000);
    const migration = await database.connect();
    let waited: Promise<number> | null = null;
    const observe = (event: ApplyEvent) => {
      if (event.kind !== 'tenant-started') return;
      waited ??= sleepThen(1000, () =>
        milliseconds(() => migration.query("SELECT pg_advisory_lock(hashtext('t1'))")),
      ).finally(() => migration.query('SELECT pg_advisory_unlock_all()'));
    };
    const run = { observe, limits: { ...DEFAULT_LIMITS, yieldAfter: 500 } };
    try {
      const { tenants } = await fleet.apply({ directory: slow(5000), run });
      expect(tenants.map(({ outcome, error }) => [outcome, error])).toEqual([['converged', null]]);
      expect(await waited).toBeLessThan(3500);
    } finally {
      await migration.end();
    }
  });
});

async function sleepThen<T>(ms: number, work: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return work();
}

describe('a column that no UPDATE could fill is blocked, and no half of it is left', () => {
  const directory = state('token: { type: uuid, default: gen_random_uuid() }');
  const token = async () => {
    const { tenants } = await fleet.apply({ directory });
    const [item] = itemsOf(await fleet.plan({ directory }), 't1');
    const columns = await database.query(
      `SELECT attname::text AS "column" FROM pg_attribute WHERE attrelid = 't1.items'::regclass AND attnum > 0`,
    );
    const { obstacle = null, remedy = null } = item?.change ?? {};
    return [tenants.map(({ outcome }) => outcome), obstacle, remedy, columns.map(({ column }) => column)];
  };
  const BY_UPDATE = 'the rows that are there are filled by UPDATE, which';

  it.each([['DO INSTEAD NOTHING'], ['WHERE old.id > 5 DO INSTEAD NOTHING']])('by a rule: %s', async (rule) => {
    await make(2);
    const [on, doing] = rule.startsWith('WHERE') ? rule.split(/(?= DO )/u) : ['', rule];
    await database.exec(`CREATE RULE kept AS ON UPDATE TO t1.items ${on ?? ''} ${doing ?? ''}`);
    const remedy = 'ALTER TABLE items DISABLE RULE kept, apply, then enable it again';
    expect(await token()).toEqual([['blocked'], `${BY_UPDATE} rule kept of the table rewrites`, remedy, ['id']]);
    await database.exec('ALTER TABLE t1.items DISABLE RULE kept');
    expect(await token()).toEqual([['converged'], null, null, ['id', 'token']]);
  });

  it.each([
    ['FOR TABLE t1.items', 'ALTER TABLE t1.items REPLICA IDENTITY FULL'],
    ['FOR TABLES IN SCHEMA t1', 'ALTER TABLE t1.items ADD PRIMARY KEY (id)'],
    [
      'FOR ALL TABLES',
      'CREATE UNIQUE INDEX by_id ON t1.items (id); ALTER TABLE t1.items ALTER id SET NOT NULL, REPLICA IDENTITY USING INDEX by_id',
    ],
  ])('by a publication %s', async (of, mend) => {
    await make(2);
    await database.exec(`CREATE PUBLICATION told ${of}`);
    try {
      const obstacle = `${BY_UPDATE} publication told publishes, and the table has no replica identity`;
      const remedy = 'give it a primary key, or ALTER TABLE items REPLICA IDENTITY FULL, then apply';
      expect(await token()).toEqual([['blocked'], obstacle, remedy, ['id']]);
      await database.exec(mend);
      expect((await token()).at(-1)).toEqual(['id', 'token']);
    } finally {
      await database.exec('DROP PUBLICATION told');
    }
  });

  it.each(['WHERE (id > 0)', '(id)'])('by a publication %s, which goes not with the replica identity', async (of) => {
    await make(2);
    await database.exec(
      `ALTER TABLE t1.items ADD no serial PRIMARY KEY; CREATE PUBLICATION told FOR TABLE t1.items ${of}`,
    );
    try {
      const obstacle = `${BY_UPDATE} publication told publishes, and its WHERE or its list of columns does not go with the replica identity of the table`;
      const remedy = 'let its WHERE name columns of the replica identity alone, and its list all of these, then apply';
      expect(await token()).toEqual([['blocked'], obstacle, remedy, ['id', 'no']]);
      await database.exec('ALTER PUBLICATION told SET TABLE t1.items (no, id) WHERE (no > 0)');
      expect((await token()).at(-1)).toEqual(['id', 'no', 'token']);
    } finally {
      await database.exec('DROP PUBLICATION told');
    }
  });

  it('by its owner, whom row security is forced upon, and not by another role', async () => {
    const role = `trueup_${database.name.slice(-16)}`;
    await make(2);
    await database.exec(`CREATE ROLE ${role} LOGIN; ALTER SCHEMA t1 OWNER TO ${role}; ALTER TABLE t1.items OWNER TO ${role};
      CREATE POLICY one ON t1.items USING (id = 1); ALTER TABLE t1.items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`);
    const own = await openFleet(database.urlFor(role));
    try {
      expect((await own.apply({ directory })).tenants).toMatchObject([{ outcome: 'blocked', error: null }]);
      expect(itemsOf(await own.plan({ directory }), 't1').map(({ change }) => change)).toMatchObject([
        {
          obstacle:
            'the rows that are there are filled by UPDATE, and row security hides some of them from the role, though it owns the table',
          remedy: 'ALTER ROLE … BYPASSRLS, or run as a role that sees all rows',
        },
      ]);
      expect((await token()).at(-1)).toEqual(['id', 'token']);
    } finally {
      await own.close();
      await database.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });

  it('by a publication of a table that inherits', async () => {
    await make(2);
    await database.exec(`ALTER TABLE t1.items REPLICA IDENTITY FULL; CREATE TABLE t1.heir () INHERITS (t1.items);
      CREATE PUBLICATION told FOR ALL TABLES`);
    try {
      const obstacle = `${BY_UPDATE} publication told publishes, and heir, which inherits from the table, has no replica identity`;
      const remedy = 'give it a primary key, or ALTER TABLE heir REPLICA IDENTITY FULL, then apply';
      expect(await token()).toEqual([['blocked'], obstacle, remedy, ['id']]);
      await database.exec('ALTER TABLE t1.heir REPLICA IDENTITY FULL');
      expect((await token()).at(-1)).toEqual(['id', 'token']);
    } finally {
      await database.exec('DROP PUBLICATION told');
    }
  });

  it('but not by a publication of inserts alone', async () => {
    await make(2);
    await database.exec(`CREATE PUBLICATION told FOR TABLE t1.items WITH (publish = 'insert')`);
    expect(await token()).toEqual([['converged'], null, null, ['id', 'token']]);
  });
});
