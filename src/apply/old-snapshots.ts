import type { Session } from '../database/session.js';
import { type Holder, holder } from './holders.js';

/**
 * Sessions of this database whose transaction has been open for longer than `olderThan` milliseconds and holds a snapshot
 * or a transaction id, oldest first: a concurrent build waits for all of them (WaitForOlderSnapshots in
 * src/backend/commands/indexcmds.c; other databases and vacuum do not count).
 * @param except process ids of the run itself
 */
export async function oldSnapshots(
  session: Session,
  olderThan: number,
  except: readonly number[],
): Promise<readonly Holder[]> {
  const rows = await session.query<Parameters<typeof holder>[0]>(
    `select a.pid, a.application_name application, a.usename::text username, a.state,
        pg_catalog.round(1000 * extract(epoch from pg_catalog.clock_timestamp() - a.xact_start))::text age,
        pg_catalog.to_char(a.query_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') query_start,
        '' mode, 'snapshot' what
      from pg_catalog.pg_stat_activity a
     where a.datname = pg_catalog.current_database() and a.pid <> all($1::int4[])
       and (a.backend_xmin is not null or a.backend_xid is not null)
       and a.xact_start < pg_catalog.clock_timestamp() - $2::float8 * interval '1 ms'
       and a.backend_type is distinct from 'autovacuum worker'
     order by a.xact_start`,
    [except, olderThan],
  );
  return rows.map(holder);
}
