import { counted, number } from '../../counted.js';
import type { Row } from '../../database/session.js';
import { check, oidsOf } from '../check.js';
import { type Finding, finding } from '../finding.js';

/** Of max_connections; with room for fewer statements the lock table may well be filled by the application alone. */
const SHARE = 0.25;

/** What the lock table holds, and the table that asks most of it. */
export interface LockTableFacts {
  readonly perTransaction: number;
  readonly connections: number;
  readonly prepared: number;
  /** The table of the fleet with the most indexes; null where there is none. */
  readonly busiest: { readonly schema: string; readonly table: string; readonly indexes: number } | null;
}

/**
 * max_locks_per_transaction against the indexes on the busiest table. A statement on a table locks the table and each of its
 * indexes when it is planned; the lock table has room for max_locks_per_transaction * (max_connections +
 * max_prepared_transactions) of them (the manual, "Lock Management"), and all sessions share it.
 */
export const lockTable = check({
  name: 'lock-table',
  read: async (context): Promise<LockTableFacts> => {
    const [row] = await context.session.query<FactsRow>(
      `select pg_catalog.current_setting('max_locks_per_transaction')::int4 locks,
              pg_catalog.current_setting('max_connections')::int4 connections,
              pg_catalog.current_setting('max_prepared_transactions')::int4 prepared,
              busiest.nspname::text "schema", busiest.relname::text "table", busiest.indexes
         from (select) one
         left join lateral (
           select n.nspname, c.relname, pg_catalog.count(*)::int4 indexes
             from pg_catalog.pg_index i
             join pg_catalog.pg_class c on c.oid = i.indrelid
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where c.relnamespace = any($1::oid[])
            group by c.oid, n.nspname, c.relname order by 3 desc, 1, 2 limit 1) busiest on true`,
      [oidsOf(context)],
    );
    const busiest =
      row?.schema == null ? null : { schema: row.schema, table: row.table ?? '', indexes: row.indexes ?? 0 };
    return {
      perTransaction: row?.locks ?? 0,
      connections: row?.connections ?? 0,
      prepared: row?.prepared ?? 0,
      busiest,
    };
  },
  judge: (facts, { request }) => judgeLocks(facts, request.concurrency),
});

/** The pure part. @param concurrency the connections of an apply */
export function judgeLocks(facts: LockTableFacts, concurrency: number): readonly Finding[] {
  const { perTransaction, connections, prepared, busiest } = facts;
  if (busiest === null) return [finding('lock-table', 'ok', { what: 'no table with indexes' })];
  const slots = perTransaction * (connections + prepared);
  const locks = busiest.indexes + 1;
  const fit = Math.floor(slots / locks);
  const name = `${busiest.schema}.${busiest.table}`;
  const what = `the busiest table, ${name}, has ${counted(busiest.indexes, 'index', 'indexes')}; the lock table has room for ${number(slots)} locks`;
  if (fit >= connections * SHARE && fit >= concurrency) return [finding('lock-table', 'ok', { what })];
  const enough = Math.ceil(locks / 64) * 64;
  return [
    finding('lock-table', fit < concurrency ? 'problem' : 'warning', {
      what: `${what}: ${fit === 0 ? 'less than one statement on that table needs' : `${counted(fit, 'statement')} on such tables at once`}`,
      why: 'a statement locks its table and every index of it; when the lock table is full, statements of every tenant fail with "out of shared memory", the application’s too',
      remedy: 'raise max_locks_per_transaction, which takes a restart; or see that the table needs fewer indexes',
      statements: [`ALTER SYSTEM SET max_locks_per_transaction = ${enough}`],
      subjects: [name],
    }),
  ];
}

interface FactsRow extends Row {
  readonly locks: number;
  readonly connections: number;
  readonly prepared: number;
  readonly schema: string | null;
  readonly table: string | null;
  readonly indexes: number | null;
}
