import { afterAll, beforeAll, expect, it } from 'vitest';
import { tableOrder } from '../../src/apply/lock-order.js';
import { readColumnBarriers } from '../../src/catalog/column-barriers.js';
import { discoverTenants } from '../../src/catalog/discover.js';
import { readFleet } from '../../src/catalog/fleet-pass.js';
import { readNameHolders } from '../../src/catalog/name-holders.js';
import { ownershipFilter } from '../../src/catalog/ownership-filter.js';
import type { ReadySession } from '../../src/catalog/shared-parts.js';
import { withSharedSnapshot } from '../../src/catalog/shared-snapshot.js';
import type { Session } from '../../src/database/session.js';
import { inTransaction } from '../../src/database/transaction.js';
import { change } from '../../src/diff/change.js';
import { planFleet } from '../../src/plan/plan-fleet.js';
import { NO_PROGRESS } from '../../src/progress.js';
import { sql } from '../../src/sql/template.js';
import { loadShipped } from '../support/fleet.js';
import { watchedDatabase } from '../support/received.js';
import { fleetOnServer } from '../support/server-fleet.js';
import { smallFleet } from '../support/small-fleet.js';

const schemasOf = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `t${from + at}`);

const on = fleetOnServer();
const files = smallFleet();
beforeAll(async () => {
  await on.database.exec(
    schemasOf(0, 10)
      .map((schema) => files.tenant(schema, 1))
      .join('\n'),
  );
});
afterAll(() => files.remove());

/** Plans the whole fleet, and counts statements and the characters of all results. */
async function measure() {
  await on.fleet.anew();
  const watched = watchedDatabase(on.fleet.database);
  const desired = await loadShipped({ directory: files.directory });
  const selection = { schemas: [], exclude: [], allowEmpty: false, allowAbsent: false };
  const plan = await planFleet(watched.database, { desired, selection, allow: new Set(), progress: NO_PROGRESS });
  return { plan, received: watched.received(), statements: on.fleet.statements.length };
}

it('plans 200 tenants by as many statements as 10, batches of rows aside, and little of a tenant that is like others crosses the wire', async () => {
  const few = await measure();
  await on.database.exec(
    schemasOf(10, 200)
      .map((schema) => files.tenant(schema, 1))
      .join('\n'),
  );
  const many = await measure();
  expect(few.plan.summary).toMatchObject({ tenants: 10, shapes: 1 });
  expect(many.plan.summary).toMatchObject({ tenants: 200, shapes: 1 });
  // The rows that the family is generated from are read by fifty tenants a statement.
  expect(many.statements).toBe(few.statements + 3);
  expect((many.received - few.received) / 190).toBeLessThan(2000);
});

it('asks about 200 tenants of which each looks another way by as many statements as about 10, batches of rows aside', async () => {
  const schemas = schemasOf(0, 200);
  await on.database.exec(
    schemas.map((schema) => `ALTER TABLE ${schema}.notes ALTER body SET DEFAULT '${schema}';`).join(''),
  );
  const statementsOf = async (some: readonly string[]) => {
    await on.fleet.anew();
    const { summary } = await on.fleet.plan({ directory: files.directory, schemas: some });
    expect(summary).toMatchObject({ tenants: some.length, shapes: some.length, drifted: some.length });
    return on.fleet.statements.length;
  };
  const few = await statementsOf(schemas.slice(0, 10));
  // Whether each table holds a row is read by fifty tenants a statement.
  expect(await statementsOf(schemas)).toBe(few + 3);
  await on.database.exec(schemas.map((schema) => `ALTER TABLE ${schema}.notes ALTER body DROP DEFAULT;`).join(''));
});

/** Rows of catalogs that the session has gone through while `read` ran. */
async function catalogRows(session: Session, read: () => Promise<unknown>): Promise<number> {
  const soFar = async () => {
    const [row] = await session.query<{ n: number }>(
      `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int4 n from pg_catalog.pg_stat_xact_sys_tables where schemaname = 'pg_catalog'`,
    );
    return row?.n ?? 0;
  };
  return inTransaction(session, 'read only snapshot', async () => {
    const before = await soFar();
    await read();
    return (await soFar()) - before;
  });
}

type AskOf = (session: Session, batch: readonly string[], table: string) => Promise<unknown>;

/** What every batch of an apply asks of the catalogs, beside the pass. */
const ASKED: Readonly<Record<string, AskOf>> = {
  'the order of its locks': (session, batch, table) => {
    const lock = { mode: 'SHARE', table } as const;
    const steps = [{ sql: sql`SELECT`, mode: 'transaction', lock } as const];
    const changed = change({ phase: '', action: 'create-index', table, object: '', reason: '', steps });
    const changes = [{ change: changed, members: null }];
    return tableOrder(
      session,
      batch.map((schema) => ({ schema, isNew: false, changes })),
    );
  },
  'what keeps a column from being added': (session, batch, table) => readColumnBarriers(session, batch, table),
  'who has a name': (session, batch, table) =>
    readNameHolders(
      session,
      batch.map((schema) => ({ schema, name: table, asTable: true })),
    ),
  'whether its tenants are there': async (session, schemas) => {
    const { tenants: rule } = await loadShipped({ directory: files.directory });
    return discoverTenants(session, rule, { schemas, exclude: [], allowEmpty: false, allowAbsent: false });
  },
};

it.each(Object.entries(ASKED))(
  'a batch asks %s by a statement that is parsed once, and goes through its tenants’ tables alone by the plan that is kept too',
  async (_, ask) => {
    await on.database.exec('ANALYZE pg_catalog.pg_class; ANALYZE pg_catalog.pg_namespace');
    const [table = ''] = (await loadShipped({ directory: files.directory })).tables.map(({ name }) => name);
    const batch = schemasOf(20, 100);
    const session = await on.fleet.database.connect();
    try {
      const nothing = await catalogRows(session, async () => {});
      const first = await catalogRows(session, () => ask(session, batch, table));
      // The server plans five times before it may keep a plan.
      for (let more = 0; more < 6; more += 1) await ask(session, batch, table);
      const last = await catalogRows(session, () => ask(session, batch, table));
      // What the session caches by then it has looked up the first time.
      expect((first - nothing) / batch.length).toBeLessThan(25);
      expect((last - nothing) / batch.length).toBeLessThan(7);
      // The connection may have been another session's before, which kept statements of its own.
      const kept = await session.query<{ generic: number }>(
        `select generic_plans::int4 generic from pg_catalog.pg_prepared_statements where name like 'trueup%' and generic_plans + custom_plans = 8`,
      );
      expect(kept).toHaveLength(1);
      expect(kept[0]?.generic).toBeGreaterThan(0);
    } finally {
      await session.close();
    }
  },
);

it('two sessions on one snapshot group a fleet as one does, and see nothing that was committed after it', async () => {
  const desired = await loadShipped({ directory: files.directory });
  const filter = ownershipFilter(desired.phases, desired.tables);
  const tables = desired.tables.map((table) => table.name);
  const session = await on.fleet.database.connect();
  try {
    const oids = await session.query<{ oid: string }>(
      `select oid::text oid from pg_catalog.pg_namespace where nspname ~ '^t[0-9]+$'`,
    );
    const namespaces = oids.map((row) => row.oid);
    // In parts that get smaller: some of them are hashed roughly first, and some exactly.
    const readShapes = async (sessions: readonly ReadySession[]) =>
      (await readFleet(sessions, namespaces, tables, filter, { shapes: true, apart: false, partOf: 40 })).hashed;
    const [meanwhile, [alone, together]] = await inTransaction(session, 'read only snapshot', async () => {
      const one = await readShapes([session]);
      return withSharedSnapshot(
        session,
        () => on.fleet.database.connect(),
        async () => 'read meanwhile',
        async (sessions) => {
          expect(sessions).toHaveLength(2);
          await on.database.exec(`ALTER TABLE t199."${tables[0]}" ADD COLUMN after_the_snapshot int`);
          return [one, await readShapes(sessions)] as const;
        },
      );
    });
    expect(meanwhile).toBe('read meanwhile');
    expect(together.map(({ hash, schemas }) => [hash, schemas])).toEqual(
      alone.map(({ hash, schemas }) => [hash, schemas]),
    );
    expect(await readShapes([session])).toHaveLength(2);
  } finally {
    await session.close();
  }
});

it('no tenant is told to be compared twice, where some of those that look alike gave other answers', async () => {
  await on.database.exec(['e0', 'e1'].map((schema) => files.tenant(schema, 0)).join('\n'));
  const schemas = ['e0', 'e1', ...schemasOf(0, 3)];
  const desired = await loadShipped({ directory: files.directory });
  const selection = { schemas, exclude: [], allowEmpty: false, allowAbsent: false };
  let compared = 0;
  const progress = {
    ...NO_PROGRESS,
    advance: (count = 1) => {
      compared += count;
    },
  };
  const { summary } = await planFleet(on.fleet.database, { desired, selection, allow: new Set(), progress });
  expect(summary).toMatchObject({ drifted: 5, shapes: 1 });
  expect(compared).toBe(5);
});
