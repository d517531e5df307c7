import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createMember, insertBank, insertMemories, memberName } from '../support/banks.js';
import { changesOf, type FleetUnderTest, itemsOf, openFleet } from '../support/fleet.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let database: TestDatabase;
let fleet: FleetUnderTest;
beforeAll(async () => {
  database = await createTestDatabase();
  fleet = await openFleet(database.url);
  await fleet.provision(['t1', 't2', 't3', 't4', 't5', 't6']);
});
afterAll(async () => {
  await fleet?.close();
  await database?.drop();
});
beforeEach(() => fleet.forget());

const ddl = () => fleet.statements.filter((sql) => /^\s*(?:CREATE|ALTER|DROP)\b/u.test(sql));
const indexesOf = async (schema: string, pattern: string): Promise<readonly string[]> => {
  const rows = await database.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE c.relnamespace = $1::regnamespace AND c.relname LIKE $2 AND i.indisvalid ORDER BY 1`,
    [schema, pattern],
  );
  return rows.map((row) => row.name);
};

/** Waits until a session of trueup's waits for a lock that another holds. */
async function someoneWaits(): Promise<void> {
  for (let left = 200; left > 0; left -= 1) {
    const [row] = await database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    if ((row?.n ?? 0) > 0) return;
    await sleep(10);
  }
  throw new Error('nobody waited');
}

it('R20: a role that row security shows nothing fails for that tenant, and no member is taken for an orphan', async () => {
  const role = `blind_${database.name}`;
  await database.exec(`${insertBank('t1', 1, 'hidden')} ${insertBank('t2', 1, 'seen')}`);
  expect((await fleet.apply({ schemas: ['t1', 't2'] })).summary).toMatchObject({ converged: 2 });
  await database.exec(`
    CREATE ROLE ${role} LOGIN;
    GRANT USAGE ON SCHEMA t1, t2 TO ${role};
    GRANT SELECT ON ALL TABLES IN SCHEMA t1, t2 TO ${role};
    ALTER TABLE t1.banks ENABLE ROW LEVEL SECURITY;`);
  const blind = await openFleet(database.urlFor(role));
  try {
    const plan = await blind.plan({ schemas: ['t1', 't2'] });
    expect(plan.summary).toMatchObject({ tenants: 2, inSync: 1, drifted: 0, unreadable: 1 });
    expect(plan.databases[0]?.unreadable).toMatchObject([{ schema: 't1', code: 'TENANT_UNREADABLE' }]);
    expect(plan.databases[0]?.unreadable[0]?.message).toMatch(/row-level security/u);
    const outcome = await blind.apply({ schemas: ['t1', 't2'] });
    expect(outcome.tenants.map(({ schema, outcome: end }) => [schema, end]).sort()).toEqual([
      ['t1', 'failed'],
      ['t2', 'in-sync'],
    ]);
    expect(blind.statements.filter((sql) => /^\s*(?:CREATE|ALTER|DROP)\b/u.test(sql))).toEqual([]);
  } finally {
    await blind.close();
    await database.exec(`DROP OWNED BY ${role}; DROP ROLE ${role}; ALTER TABLE t1.banks DISABLE ROW LEVEL SECURITY`);
  }
  expect(await indexesOf('t1', 'idx_mu_emb%')).toHaveLength(3);
});

it('R20: forced row security that hides rows from the owner is an error too, never fewer banks', async () => {
  const role = `forced_${database.name}`;
  await database.exec(`
    CREATE ROLE ${role} LOGIN;
    GRANT USAGE ON SCHEMA t2 TO ${role};
    GRANT SELECT ON ALL TABLES IN SCHEMA t2 TO ${role};
    ALTER TABLE t2.banks ENABLE ROW LEVEL SECURITY;
    ALTER TABLE t2.banks FORCE ROW LEVEL SECURITY;
    CREATE POLICY few ON t2.banks FOR SELECT USING (bank_id = 'another')`);
  const blind = await openFleet(database.urlFor(role));
  try {
    expect((await blind.plan({ schemas: ['t2'] })).summary).toMatchObject({ unreadable: 1, drifted: 0 });
  } finally {
    await blind.close();
    await database.exec(`
      DROP POLICY few ON t2.banks;
      ALTER TABLE t2.banks NO FORCE ROW LEVEL SECURITY; ALTER TABLE t2.banks DISABLE ROW LEVEL SECURITY;
      DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

it('R21: a bank that is made between plan and apply keeps the index that the plan took for an orphan', async () => {
  await database.exec(createMember('t3', 5, 'late', 'worl'));
  const plan = await fleet.plan({ schemas: ['t3'] });
  expect(itemsOf(plan, 't3').map(({ change }) => [change.action, change.reason])).toEqual([
    ['drop-index', 'the rows that it was made for are gone'],
  ]);
  await database.exec(insertBank('t3', 5, 'late'));
  const outcome = await fleet.apply({ schemas: ['t3'] });
  expect(outcome.summary).toMatchObject({ converged: 1 });
  expect(ddl().filter((sql) => sql.startsWith('DROP'))).toEqual([]);
  expect(await indexesOf('t3', 'idx_mu_emb%')).toEqual(
    [memberName('expr', 5), memberName('obsv', 5), memberName('worl', 5)].sort(),
  );
});

it('R21: a bank that is committed while apply is about to drop its orphan is noticed under the lock', async () => {
  await database.exec(createMember('t4', 6, 'racing', 'obsv'));
  const application = await database.connect();
  await application.query('BEGIN');
  await application.query(insertBank('t4', 6, 'racing'));
  // As the application does: the index is there already, so that it makes none.
  await application.query(createMember('t4', 6, 'racing', 'obsv').replace('INDEX', 'INDEX IF NOT EXISTS'));
  const applied = fleet.apply({ schemas: ['t4'] });
  await someoneWaits();
  await application.query('COMMIT');
  await applied;
  expect(await indexesOf('t4', 'idx_mu_emb_obsv%')).toEqual([memberName('obsv', 6)]);
  expect(ddl().filter((sql) => sql.startsWith('DROP'))).toEqual([]);
  expect(changesOf(await fleet.plan({ schemas: ['t4'] }), 't4')).toEqual([]);
});

it('R21: a table that fills between the evidence and the lock gets its index online, not under SHARE', async () => {
  await database.exec('DROP INDEX t5.idx_memory_units_text_search');
  // A sequence counts what a transaction did even if it was rolled back.
  await database.exec(`
    CREATE SEQUENCE public.builds;
    CREATE FUNCTION public.count_build() RETURNS event_trigger LANGUAGE plpgsql AS
      'BEGIN IF current_query() LIKE ''%idx_memory_units_text_search%'' THEN PERFORM nextval(''public.builds''); END IF; END';
    CREATE EVENT TRIGGER count_builds ON ddl_command_start WHEN TAG IN ('CREATE INDEX')
      EXECUTE FUNCTION public.count_build();`);
  const application = await database.connect();
  await application.query('BEGIN');
  await application.query(insertBank('t5', 7, 'filling'));
  await application.query(insertMemories('t5', 'filling', 3));
  const applied = fleet.apply({ schemas: ['t5'] });
  await someoneWaits();
  await application.query('COMMIT');
  const outcome = await applied;
  expect(outcome.tenants.map(({ outcome: end, error }) => [end, error])).toEqual([['converged', null]]);
  const sent = ddl().filter((sql) => sql.includes('idx_memory_units_text_search'));
  expect(sent.at(-1)).toMatch(/^CREATE INDEX CONCURRENTLY/u);
  // What was sent behind the check under the lock was not begun.
  expect(await database.query('SELECT last_value::int builds FROM public.builds WHERE is_called')).toEqual([
    { builds: 1 },
  ]);
  await database.exec('DROP EVENT TRIGGER count_builds');
  expect(changesOf(await fleet.plan({ schemas: ['t5'] }), 't5')).toEqual([]);
});

it('R21: a column that gets a value after it was found empty is not replaced', async () => {
  const other = { schemas: ['t6'], load: { parameters: { embedding_dimension: '128' } } };
  const plan = await fleet.plan(other);
  expect(changesOf(plan, 't6')).toContain('replace-column memory_units.embedding pending');
  const application = await database.connect();
  await application.query('BEGIN');
  await application.query(insertBank('t6', 8, 'embedding'));
  await application.query(insertMemories('t6', 'embedding', 2));
  const applied = fleet.apply(other);
  await someoneWaits();
  await application.query('COMMIT');
  const outcome = await applied;
  expect(outcome.tenants.map((tenant) => tenant.outcome)).toEqual(['blocked']);
  expect(ddl().filter((sql) => sql.includes('DROP COLUMN'))).toEqual([]);
  expect(await database.query('SELECT count(embedding)::int AS n FROM t6.memory_units')).toEqual([{ n: 2 }]);
});
