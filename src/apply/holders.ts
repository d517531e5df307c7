import type { Row, Session } from '../database/session.js';
import { LOCK_MODES, type LockMode } from '../diff/change.js';

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

/** Which modes conflict with each: the manual's table "Conflicting Lock Modes". */
const CONFLICTS: Readonly<Record<LockMode, readonly LockMode[]>> = {
  NONE: [],
  'ACCESS SHARE': LOCK_MODES.slice(8),
  'ROW SHARE': LOCK_MODES.slice(7),
  'ROW EXCLUSIVE': LOCK_MODES.slice(5),
  'SHARE UPDATE EXCLUSIVE': LOCK_MODES.slice(4),
  SHARE: LOCK_MODES.slice(3).filter((mode) => mode !== 'SHARE'),
  'SHARE ROW EXCLUSIVE': LOCK_MODES.slice(3),
  EXCLUSIVE: LOCK_MODES.slice(2),
  'ACCESS EXCLUSIVE': LOCK_MODES.slice(1),
};

/**
 * Others that hold a lock on one of a tenant's tables which conflicts with the wanted mode, oldest transaction first;
 * those whose age the role may not see come last. A parallel worker is its leader.
 */
export async function findHolders(
  session: Session,
  schema: string,
  tables: readonly string[],
  mode: LockMode,
): Promise<readonly Holder[]> {
  const rows = await session.query<HolderRow>(
    `select distinct on (l.pid, l.virtualtransaction) ${ACTIVITY_COLUMNS}, l.mode, c.relname::text "table", p.gid,
            pg_catalog.round(1000 * extract(epoch from pg_catalog.clock_timestamp() - p.prepared))::text prepared,
            p.owner::text "owner"
       from pg_catalog.pg_namespace n
       join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = any($2::text[])
       join pg_catalog.pg_locks l on l.relation = c.oid and l.locktype = 'relation' and l.granted and l.mode = any($3::text[])
       left join pg_catalog.pg_stat_activity a on a.pid = l.pid
       left join pg_catalog.pg_locks x on l.pid is null and x.pid is null and x.locktype = 'transactionid'
             and x.virtualtransaction = l.virtualtransaction
       left join pg_catalog.pg_prepared_xacts p on p.transaction = x.transactionid
      where n.nspname = $1 and l.pid is distinct from pg_catalog.pg_backend_pid() and a.leader_pid is null
        and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
      order by l.pid, l.virtualtransaction, pg_catalog.array_position($4::text[], l.mode) desc`,
    [schema, tables, CONFLICTS[mode].map(lockName), LOCK_MODES.map(lockName)],
  );
  return rows.map(holderOf).sort(oldestFirst);
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

interface HolderRow extends ActivityRow {
  readonly mode: string;
  readonly table: string;
  readonly gid: string | null;
  readonly prepared: string | null;
  readonly owner: string | null;
}

const holderOf = (row: HolderRow): Holder => ({
  ...activityOf(row),
  ...(row.pid === null
    ? { user: row.owner, state: 'prepared', age: row.prepared === null ? null : Number(row.prepared) }
    : {}),
  mode: LOCK_MODES.find((mode) => lockName(mode) === row.mode) ?? row.mode,
  what: row.pid === null ? (row.gid ?? row.table) : row.table,
});

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

/** As pg_locks writes a mode: `AccessExclusiveLock`. */
const lockName = (mode: LockMode): string =>
  `${mode
    .split(' ')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('')}Lock`;

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

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** A session that waits for a lock which one of the run's sessions holds, or waits for before it. */
export interface Waiter {
  /** The run's session. */
  readonly blocker: number;
  readonly pid: number;
  /** Milliseconds. */
  readonly waited: number;
  /**
   * Whether a concurrent build or drop would wait for it in turn: it has a snapshot or has written, or hides from this role
   * whether it has.
   */
  readonly awaited: boolean;
  /** Whether one of the run's sessions waits for it already. */
  readonly mutual: boolean;
}

/**
 * Sessions outside `pids` that wait directly behind one of `pids`, advisory locks included. One statement, meant to be
 * sent some times a second: who blocks whom, which stops the lock manager for a moment, is asked only of those that wait.
 * Autovacuum does not count: it serves nobody, and gives way by itself.
 */
export async function waitersBehind(session: Session, pids: readonly number[]): Promise<readonly Waiter[]> {
  const rows = await session.query<
    Row & { blocker: number; pid: number; waited: string; awaited: boolean; mutual: boolean }
  >(
    `with waiting as materialized (
       select l.pid, min(l.waitstart) since from pg_catalog.pg_locks l
        where not l.granted and l.pid <> all($1::int4[]) group by l.pid)
     select distinct b.pid blocker, w.pid,
            pg_catalog.round(1000 * coalesce(extract(epoch from pg_catalog.clock_timestamp() - w.since), 0))::text waited,
            a.backend_xmin is not null or a.backend_xid is not null or a.state is null awaited,
            exists (select from pg_catalog.unnest($1::int4[]) own(pid)
                     where w.pid = any (pg_catalog.pg_blocking_pids(own.pid))) mutual
       from waiting w
       cross join lateral pg_catalog.pg_stat_get_activity(w.pid) a
       cross join lateral pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) b(pid)
      where b.pid = any($1::int4[]) and a.usesysid is not null`,
    [pids],
  );
  return rows.map(({ waited, ...row }) => ({ ...row, waited: Number(waited) }));
}
