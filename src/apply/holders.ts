import type { Row, Session } from '../database/session.js';
import { LOCK_MODES, type LockMode } from '../diff/change.js';

/** A session, or a prepared transaction, that holds something that others wait for. */
export interface Holder {
  /** 0 for a prepared transaction. */
  readonly pid: number;
  /** Null where the role may not see it (pg_read_all_stats). */
  readonly application: string | null;
  readonly user: string | null;
  readonly state: string | null;
  /** Of its transaction, in milliseconds. */
  readonly age: number | null;
  readonly queryStart: Date | null;
  /** The lock mode that it holds; '' where it holds back by its snapshot. */
  readonly mode: string;
  /** What it holds: the table's name, or the name of a prepared transaction. */
  readonly what: string;
}

/** Which modes conflict with each; the manual's table "Conflicting Lock Modes". */
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

/** As pg_locks writes a mode: `AccessExclusiveLock`. */
const lockName = (mode: LockMode): string =>
  `${mode
    .toLowerCase()
    .split(' ')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')}Lock`;

interface HolderRow extends Row {
  readonly pid: number | null;
  readonly application: string | null;
  readonly username: string | null;
  readonly state: string | null;
  readonly age: string | null;
  readonly query_start: string | null;
  readonly mode: string;
  readonly what: string;
}

/** Others that hold a lock on one of a tenant's tables which conflicts with the wanted mode, oldest transaction first. */
export async function findHolders(
  session: Session,
  schema: string,
  tables: readonly string[],
  mode: LockMode,
): Promise<readonly Holder[]> {
  const rows = await session.query<HolderRow>(
    `select distinct on (l.pid, l.virtualtransaction) l.pid, a.application_name application, a.usename::text username, a.state,
        pg_catalog.round(1000 * extract(epoch from pg_catalog.clock_timestamp() - a.xact_start))::text age,
        pg_catalog.to_char(a.query_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') query_start,
        l.mode, c.relname::text what
      from pg_catalog.pg_locks l
      join pg_catalog.pg_class c on c.oid = l.relation
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      left join pg_catalog.pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'relation' and l.granted and l.mode = any($3::text[])
       and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
       and n.nspname = $1 and c.relname = any($2::text[]) and l.pid is distinct from pg_catalog.pg_backend_pid()`,
    [schema, tables, CONFLICTS[mode].map(lockName)],
  );
  return rows.map(holder).sort((left, right) => (right.age ?? 0) - (left.age ?? 0));
}

/** A row of pg_stat_activity and pg_locks as a holder. */
export const holder = (row: HolderRow): Holder => ({
  pid: row.pid ?? 0,
  application: row.application === '' ? null : row.application,
  user: row.username,
  state: row.state,
  age: row.age === null ? null : Number(row.age),
  queryStart: row.query_start === null ? null : new Date(row.query_start),
  mode: row.mode,
  what: row.what,
});

/** A holder in words; never the text of its query, which may hold values. */
export function describeHolder({ pid, application, user, state, age, queryStart, what }: Holder): string {
  if (pid === 0) return `a prepared transaction (${what}): COMMIT PREPARED or ROLLBACK PREPARED ends it`;
  const parts = [
    ...(application === null ? [] : [`application "${application}"`]),
    ...(user === null ? [] : [`user "${user}"`]),
    ...(state === null ? [] : [age === null ? state : `${state}, its transaction open for ${duration(age)}`]),
    ...(queryStart === null ? [] : [`query since ${queryStart.toISOString().slice(11, 19)} UTC`]),
  ];
  if (parts.length === 0) return `process ${pid} (this role may not see more of it: pg_read_all_stats)`;
  return `process ${pid} (${parts.join(', ')})`;
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/** Sessions outside `pids` that wait for a lock that one of `pids` holds, with the milliseconds that they have waited. */
export async function waitersBehind(
  session: Session,
  pids: readonly number[],
): Promise<readonly { readonly blocker: number; readonly pid: number; readonly waited: number }[]> {
  const rows = await session.query<Row & { pid: number; waited: string; blockers: readonly number[] }>(
    `select w.pid, w.waited::text waited, pg_catalog.pg_blocking_pids(w.pid) blockers
       from (select l.pid, pg_catalog.round(1000 * extract(epoch from pg_catalog.clock_timestamp() - pg_catalog.min(l.waitstart))) waited
               from pg_catalog.pg_locks l where not l.granted and l.pid <> all($1::int4[]) group by l.pid offset 0) w
      where w.waited is not null`,
    [pids],
  );
  return rows.flatMap(({ pid, waited, blockers }) => {
    const blocker = blockers.find((one) => pids.includes(one));
    return blocker === undefined ? [] : [{ blocker, pid, waited: Number(waited) }];
  });
}
