import type { Row, Session } from '../database/session.js';
import { TrueupError } from '../trueup-error.js';

/**
 * Refuses a run for which the server, the database or the login role has too few free connections: taken one by one, the
 * last of them would be the application's.
 * @param wanted connections that are still to be opened
 * @throws {TrueupError} TOO_FEW_CONNECTIONS
 */
export async function checkConnections(session: Session, wanted: number): Promise<void> {
  const [row] = await session.query<LimitsRow>(LIMITS_SQL);
  if (row === undefined) return;
  const limits: readonly Limit[] = [
    { what: 'the server', setting: 'max_connections', limit: row.total, used: row.used, reserved: row.reserved },
    ...limited(`database "${row.datname}"`, 'its CONNECTION LIMIT', row.datlimit, row.datused),
    ...limited(`role "${row.rolname}"`, 'its CONNECTION LIMIT', row.rollimit, row.rolused),
  ];
  const [tightest] = [...limits].sort((left, right) => freeOf(left) - freeOf(right));
  if (tightest === undefined || freeOf(tightest) >= wanted) return;
  const { what, setting, limit, used, reserved } = tightest;
  const kept = reserved === 0 ? '' : `, ${reserved} kept for administrators`;
  const fits = Math.max(0, freeOf(tightest)) + 1;
  throw new TrueupError(
    'TOO_FEW_CONNECTIONS',
    `${what} has ${fits - 1} free connections (${setting} ${limit}, ${used} in use${kept}), and ${wanted} more are wanted`,
    {
      where: `database ${row.datname}`,
      remedy: `lower --concurrency to ${fits} or less, end idle connections, or raise ${setting}`,
    },
  );
}

interface Limit {
  readonly what: string;
  readonly setting: string;
  readonly limit: number;
  readonly used: number;
  readonly reserved: number;
}

const freeOf = ({ limit, used, reserved }: Limit): number => limit - used - reserved;

/** A limit below 0 is none. */
const limited = (what: string, setting: string, limit: number | null, used: number): readonly Limit[] =>
  limit === null || limit < 0 ? [] : [{ what, setting, limit, used, reserved: 0 }];

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
