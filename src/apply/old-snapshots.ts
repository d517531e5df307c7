import { setTimeout as sleep } from 'node:timers/promises';
import { ACTIVITY_COLUMNS, type ActivityRow, activityOf, type Holder, oldestFirst } from '../catalog/lock-holder.js';
import type { Session } from '../database/session.js';

/** How often a transaction whose age is hidden is looked at again, in milliseconds. */
const INTERVAL = 250;

/**
 * Sessions that a concurrent build begun now would wait for at its end, and whose transaction has been open for longer
 * than `olderThan` milliseconds, oldest first. As WaitForOlderSnapshots has it (indexcmds.c; the manual's "Building
 * Indexes Concurrently"): sessions of this database that hold a snapshot, except vacuums and other concurrent builds
 * without predicate and expressions. A transaction without a snapshot (idle, READ COMMITTED) and a prepared one hold a
 * build up only by their locks on its table: {@link findHolders} with SHARE. Walsenders and replication slots do not.
 *
 * A role without pg_read_all_stats does not see when another role's transaction began. Such a transaction is watched, for
 * `olderThan` milliseconds at most; one that is still the same then is old.
 * @param except process ids of the run itself
 */
export async function oldSnapshots(
  session: Session,
  olderThan: number,
  except: readonly number[],
): Promise<readonly Holder[]> {
  const begun = Date.now();
  let found = await snapshots(session, except);
  const known = found.filter(({ age }) => age !== null && age > olderThan);
  // One that is known suffices: nothing is built before it has ended.
  if (known.length > 0) return known.map(({ holder }) => holder).sort(oldestFirst);
  let hidden = found.filter(({ age }) => age === null);
  while (hidden.length > 0 && Date.now() - begun < olderThan) {
    await sleep(Math.min(INTERVAL, Math.max(1, olderThan - (Date.now() - begun))));
    found = await snapshots(session, except);
    const still = new Set(found.map(({ identity }) => identity));
    hidden = hidden.filter(({ identity }) => still.has(identity));
  }
  return hidden.map(({ holder }) => holder);
}

/** A transaction that a concurrent build begun now would wait for. */
export interface Snapshot {
  /** Another transaction of the same process has another. */
  readonly identity: string;
  /** Milliseconds; null where the role may not see it. */
  readonly age: number | null;
  readonly holder: Holder;
}

/** Those that are open now, of whatever age. One statement. */
export async function snapshots(session: Session, except: readonly number[]): Promise<readonly Snapshot[]> {
  const rows = await session.query<ActivityRow & { vxid: string | null }>(SNAPSHOTS_SQL, [except]);
  return rows.map((row) => {
    const holder = { ...activityOf(row), mode: '', what: 'snapshot' };
    return { identity: `${holder.pid} ${row.vxid ?? ''}`, age: holder.age, holder };
  });
}

/**
 * The kind of another role's process is hidden too; autovacuum has no user. Which index another role builds is hidden:
 * its build counts as one with a predicate, which is waited for.
 */
const SNAPSHOTS_SQL = `
select ${ACTIVITY_COLUMNS},
       (select min(l.virtualtransaction) from pg_catalog.pg_locks l where l.pid = a.pid and l.locktype = 'virtualxid') vxid
  from pg_catalog.pg_stat_activity a
 where a.datname = pg_catalog.current_database() and a.backend_xmin is not null and a.usesysid is not null
   and a.leader_pid is null and a.pid <> pg_catalog.pg_backend_pid() and a.pid <> all($1::int4[])
   and not exists (select from pg_catalog.pg_stat_progress_vacuum v where v.pid = a.pid)
   and not exists (
     select from pg_catalog.pg_stat_progress_create_index b
       join pg_catalog.pg_index i on i.indexrelid = b.index_relid
      where b.pid = a.pid and b.command like '% CONCURRENTLY' and i.indpred is null and i.indexprs is null)`.trim();
