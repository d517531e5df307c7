import { counted } from '../counted.js';
import type { Row, Session } from '../database/session.js';
import { TrueupError } from '../trueup-error.js';

/**
 * Refuses a run for which the server, the database or the login role has too few free connections: taken one by one, the
 * last of them would be the application's.
 * @param wanted connections that are still to be opened
 * @throws {TrueupError} TOO_FEW_CONNECTIONS
 */
export async function checkConnections(session: Session, wanted: number): Promise<void> {
  const tightest = await tightestLimit(session);
  if (tightest === null || freeOf(tightest) >= wanted) return;
  const { what, setting, limit, used, reserved } = tightest;
  const kept = reserved === 0 ? '' : `, ${reserved} kept for administrators`;
  const fits = Math.max(0, freeOf(tightest)) + 1;
  throw new TrueupError(
    'TOO_FEW_CONNECTIONS',
    `${what} has ${counted(fits - 1, 'free connection')} (${setting} ${limit}, ${used} in use${kept}), and the run needs ${wanted} more`,
    {
      where: `database ${tightest.database}`,
      remedy: `lower --concurrency to ${fits} or less, end idle connections, or raise ${setting}`,
    },
  );
}

/** A bound on the connections of the server, of the database or of the login role. */
export interface ConnectionLimit {
  readonly of: 'server' | 'database' | 'role';
  /** In words, named. */
  readonly what: string;
  readonly setting: string;
  readonly limit: number;
  readonly used: number;
  /** Kept for administrators. */
  readonly reserved: number;
  readonly database: string;
  readonly role: string;
}

/** The bound that leaves the fewest connections free. One statement. */
export async function tightestLimit(session: Session): Promise<ConnectionLimit | null> {
  const [row] = await session.query<LimitsRow>(LIMITS_SQL);
  if (row === undefined) return null;
  const { datname: database, rolname: role, total, used, reserved } = row;
  const own = (of: 'database' | 'role', limit: number | null, its: number): readonly ConnectionLimit[] => {
    // A limit below 0 is none.
    if (limit === null || limit < 0) return [];
    const what = `${of} "${of === 'role' ? role : database}"`;
    return [{ of, what, setting: 'its CONNECTION LIMIT', limit, used: its, reserved: 0, database, role }];
  };
  const limits: readonly ConnectionLimit[] = [
    { of: 'server', what: 'the server', setting: 'max_connections', limit: total, used, reserved, database, role },
    ...own('database', row.datlimit, row.datused),
    ...own('role', row.rollimit, row.rolused),
  ];
  const [tightest] = [...limits].sort((left, right) => freeOf(left) - freeOf(right));
  return tightest ?? null;
}

/** How many more connections it allows. */
export const freeOf = ({ limit, used, reserved }: ConnectionLimit): number => limit - used - reserved;

interface LimitsRow extends Row {
  readonly datname: string;
  readonly rolname: string;
  readonly total: number;
  readonly reserved: number;
  readonly used: number;
  readonly datlimit: number | null;
  readonly datused: number;
  readonly rollimit: number | null;
  readonly rolused: number;
}

/**
 * Counted as the server counts (InitPostgres in postinit.c, CountDBConnections and CountUserConnections in procarray.c):
 * the login role's rights count, not those of --role; a superuser is held by neither reserve nor limits of database and
 * role; background workers have places of their own. For a role without pg_read_all_stats the kind of another role's
 * process is null: one that has a user and a database counts as a client's.
 */
const LIMITS_SQL = `
with me as (
  select r.rolname, r.rolsuper, r.rolconnlimit,
         exists (select from pg_catalog.pg_roles p where p.rolname = 'pg_use_reserved_connections'
                    and pg_catalog.pg_has_role(r.oid, p.oid, 'usage')) privileged
    from pg_catalog.pg_roles r where r.rolname = session_user),
others as (
  select a.datname, a.usename, a.backend_type
    from pg_catalog.pg_stat_activity a
   where a.backend_type in ('client backend', 'walsender')
      or a.backend_type is null and a.usesysid is not null and a.datid is not null)
select d.datname::text datname, me.rolname::text rolname,
       pg_catalog.current_setting('max_connections')::int4 total,
       case when me.rolsuper then 0
            else pg_catalog.current_setting('superuser_reserved_connections')::int4
               + case when me.privileged then 0
                      else coalesce(pg_catalog.current_setting('reserved_connections', true)::int4, 0) end end reserved,
       (select count(*) from others o where o.backend_type is distinct from 'walsender')::int4 used,
       case when me.rolsuper then null else d.datconnlimit end datlimit,
       (select count(*) from others o where o.datname = d.datname)::int4 datused,
       case when me.rolsuper then null else me.rolconnlimit end rollimit,
       (select count(*) from others o where o.usename = me.rolname)::int4 rolused
  from me, pg_catalog.pg_database d
 where d.datname = pg_catalog.current_database()`.trim();
