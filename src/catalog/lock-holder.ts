import type { Row } from '../database/session.js';
import { duration } from '../measures.js';

/** A session, or a prepared transaction, that holds something that others wait for. */
export interface Holder {
  /** 0 for a prepared transaction, which belongs to no process any more. */
  readonly pid: number;
  readonly application: string | null;
  readonly user: string | null;
  /** `active`, `idle in transaction` …; null where the role may not see it (pg_read_all_stats). */
  readonly state: string | null;
  /** Of its transaction, in milliseconds; null where the role may not see it. */
  readonly age: number | null;
  readonly queryStart: Date | null;
  /** The lock mode that it holds, by PostgreSQL's name; empty where it holds others up by its snapshot. */
  readonly mode: string;
  /** What it holds: the table's name, `snapshot`; of a prepared transaction its name. */
  readonly what: string;
}

/** Columns of pg_stat_activity as `a` from which {@link holderOf} reads. */
export const ACTIVITY_COLUMNS = `a.pid, a.application_name application, a.usename::text "user", a.state,
            pg_catalog.round(1000 * extract(epoch from pg_catalog.clock_timestamp() - a.xact_start))::text age,
            pg_catalog.round(1000 * extract(epoch from a.query_start))::text query_start`;

/** What {@link ACTIVITY_COLUMNS} give. */
export interface ActivityRow extends Row {
  readonly pid: number | null;
  readonly application: string | null;
  readonly user: string | null;
  readonly state: string | null;
  readonly age: string | null;
  readonly query_start: string | null;
}

/** A row of pg_stat_activity as the holder that it may be. */
export const activityOf = (row: ActivityRow): Omit<Holder, 'mode' | 'what'> => ({
  pid: row.pid ?? 0,
  application: row.application === '' ? null : row.application,
  user: row.user,
  state: row.state,
  age: row.age === null ? null : Number(row.age),
  queryStart: row.query_start === null ? null : new Date(Number(row.query_start)),
});

/** For sorting: the oldest transaction first, an unknown age last. */
export const oldestFirst = (left: Holder, right: Holder): number => (right.age ?? -1) - (left.age ?? -1);

/** Who holds a lock of pg_locks as `l` on a table called `table`: columns beside {@link ACTIVITY_COLUMNS}, for {@link holderOf}. */
export const HOLDER_COLUMNS = `${ACTIVITY_COLUMNS}, p.gid,
            pg_catalog.round(1000 * extract(epoch from pg_catalog.clock_timestamp() - p.prepared))::text prepared,
            p.owner::text "owner"`;

/** Whose columns those are. A parallel worker, which is its leader, has `a.leader_pid`. */
export const HOLDER_SOURCES = `left join pg_catalog.pg_stat_activity a on a.pid = l.pid
       left join pg_catalog.pg_locks x on l.pid is null and x.pid is null and x.locktype = 'transactionid'
             and x.virtualtransaction = l.virtualtransaction
       left join pg_catalog.pg_prepared_xacts p on p.transaction = x.transactionid`;

/** Locks of others than this session, in this database. */
export const OF_OTHERS = `l.pid is distinct from pg_catalog.pg_backend_pid() and a.leader_pid is null
        and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())`;

/** What {@link HOLDER_COLUMNS} give, and the table. */
export interface HolderRow extends ActivityRow {
  readonly table: string;
  readonly gid: string | null;
  readonly prepared: string | null;
  readonly owner: string | null;
}

/** @param mode by PostgreSQL's name */
export const holderOf = (row: HolderRow, mode: string): Holder => ({
  ...activityOf(row),
  ...(row.pid === null
    ? { user: row.owner, state: 'prepared', age: row.prepared === null ? null : Number(row.prepared) }
    : {}),
  mode,
  what: row.pid === null ? (row.gid ?? row.table) : row.table,
});

/** A holder in words; never the text of its query, which may hold values. */
export function describeHolder(holder: Holder): string {
  const { pid, application, user, state, age, queryStart, what } = holder;
  const names = [
    ...(application === null ? [] : [`application "${application}"`]),
    ...(user === null ? [] : [`user "${user}"`]),
  ];
  if (pid === 0) {
    const details = [...names, ...(age === null ? [] : [`prepared ${duration(age)} ago`])];
    return `prepared transaction "${what}" (${[...details, 'COMMIT PREPARED or ROLLBACK PREPARED ends it'].join(', ')})`;
  }
  const parts = [
    ...names,
    ...(state === null ? ['the rest is hidden from roles without pg_read_all_stats'] : [inState(state, age)]),
    ...(queryStart === null ? [] : [`query since ${queryStart.toISOString().slice(11, 19)} UTC`]),
  ];
  return `process ${pid} (${parts.join(', ')})`;
}

function inState(state: string, age: number | null): string {
  if (age === null) return state;
  return /in transaction/u.test(state)
    ? `${state} for ${duration(age)}`
    : `${state}, in a transaction for ${duration(age)}`;
}
