import {
  describeHolder,
  HOLDER_COLUMNS,
  HOLDER_SOURCES,
  type Holder,
  type HolderRow,
  holderOf,
  OF_OTHERS,
  oldestFirst,
} from '../catalog/lock-holder.js';
import { relationNamed } from '../catalog/named-schemas.js';
import type { Row, Session } from '../database/session.js';
import { LOCK_MODES, type LockMode } from '../diff/lock-mode.js';

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

/** Who holds tables that were asked about, and which of them. */
export interface TableHolder extends Holder {
  readonly tables: readonly string[];
}

/**
 * Others that hold a lock on one of a tenant's tables which conflicts with the wanted mode, oldest transaction first;
 * those whose age the role may not see come last. A parallel worker is its leader.
 */
export async function findHolders(
  session: Session,
  schema: string,
  tables: readonly string[],
  mode: LockMode,
): Promise<readonly TableHolder[]> {
  const rows = await session.query<HolderRow & { mode: string; tables: readonly string[] }>(
    `select distinct on (l.pid, l.virtualtransaction) ${HOLDER_COLUMNS}, l.mode, c.relname::text "table",
            pg_catalog.array_agg(c.relname::text) over (partition by l.pid, l.virtualtransaction) tables
       from pg_catalog.unnest($2::text[]) w(t) cross join ${relationNamed('$1', 'w.t')}
       join pg_catalog.pg_locks l on l.relation = c.oid and l.locktype = 'relation' and l.granted and l.mode = any($3::text[])
       ${HOLDER_SOURCES}
      where ${OF_OTHERS}
      order by l.pid, l.virtualtransaction, pg_catalog.array_position($4::text[], l.mode) desc`,
    [schema, tables, CONFLICTS[mode].map(lockName), LOCK_MODES.map(lockName)],
  );
  const nameOf = (written: string) => LOCK_MODES.find((mode) => lockName(mode) === written) ?? written;
  return rows
    .map((row) => ({ ...holderOf(row, nameOf(row.mode)), tables: [...new Set(row.tables)].sort() }))
    .sort(oldestFirst);
}

/**
 * Who holds one of the session advisory locks of some tenants, in words, by schema. Never throws: it is asked with other
 * locks had, which an error would leave behind.
 * @param keys 64-bit keys as text, by schema
 */
export async function lockHolders(
  session: Session,
  keys: ReadonlyMap<string, readonly string[]>,
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...keys].flatMap(([schema, its]) => its.map((key) => ({ schema, key })));
  if (wanted.length === 0) return new Map();
  const asked = session.query<HolderRow & { schema: string }>(
    `select distinct on (w.s) w.s "schema", '' "table", ${HOLDER_COLUMNS}
       from unnest($1::text[], $2::int8[]) w(s, k)
       join pg_catalog.pg_locks l on l.locktype = 'advisory' and l.objsubid = 1 and l.granted
            and l.classid::int8 = (w.k >> 32) & 4294967295 and l.objid::int8 = w.k & 4294967295
       ${HOLDER_SOURCES}
      where ${OF_OTHERS}
      order by w.s, l.pid`,
    [wanted.map(({ schema }) => schema), wanted.map(({ key }) => key)],
  );
  const rows = await asked.catch(() => []);
  return new Map(rows.map((row) => [row.schema, describeHolder(holderOf(row, ''))]));
}

/** As pg_locks writes a mode: `AccessExclusiveLock`. */
const lockName = (mode: LockMode): string =>
  `${mode
    .split(' ')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('')}Lock`;

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
    { kept: true },
  );
  return rows.map(({ waited, ...row }) => ({ ...row, waited: Number(waited) }));
}
