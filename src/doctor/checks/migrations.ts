import { migrationLockKeys } from '../../apply/migration-lock.js';
import { tenantLockKey } from '../../apply/tenant-lock.js';
import { counted } from '../../counted.js';
import type { Row } from '../../database/session.js';
import { type CheckContext, check } from '../check.js';
import { finding } from '../finding.js';

interface Held {
  readonly schema: string;
  readonly pid: number;
}

/** Tenants that the application's migration, or another run of trueup, works on at this moment. */
export const migrations = check({
  name: 'migrations',
  read: async (context) => {
    const { session, desired, tenants, here } = context;
    const schemas = tenants.map(({ schema }) => schema);
    const keys = await migrationLockKeys(session, desired, schemas);
    const held = await advisoryLocks(context);
    const theirs = schemas.flatMap((schema) => holding(held, schema, keys.get(schema) ?? []));
    const ours = schemas.flatMap((schema) => holding(held, schema, [tenantLockKey(here.database, schema)]));
    return { theirs, ours };
  },
  judge: ({ theirs, ours }, { desired }) => {
    const told = [...atWork(theirs, 'the application’s migration'), ...atWork(ours, 'another run of trueup')];
    if (told.length > 0) return told;
    const unknown = desired.migrationLock === null ? '; fleet.yaml names no migration_lock to look for' : '';
    return [finding('migrations', 'ok', { what: `nobody else is at work on a tenant${unknown}` })];
  },
});

const holding = (held: ReadonlyMap<string, number>, schema: string, keys: readonly string[]): readonly Held[] =>
  keys.flatMap((key) => {
    const pid = held.get(key);
    return pid === undefined ? [] : [{ schema, pid }];
  });

const atWork = (held: readonly Held[], who: string) =>
  held.length === 0
    ? []
    : [
        finding('migrations', 'note', {
          what: `${who} holds its lock on ${counted(held.length, 'tenant')}`,
          why: 'apply waits for such a tenant for --lock-wait, then leaves it over',
          remedy: 'begin apply when it has ended',
          subjects: held.map(({ schema, pid }) => `${schema} (process ${pid})`),
        }),
      ];

/** Session advisory locks of one 64-bit key, by key. A pid is null for those of a prepared transaction. */
async function advisoryLocks({ session }: CheckContext): Promise<ReadonlyMap<string, number>> {
  const rows = await session.query<Row & { key: string; pid: number | null }>(
    `select ((l.classid::int8 << 32) | l.objid::int8)::text "key", l.pid
       from pg_catalog.pg_locks l
      where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and l.pid is distinct from pg_catalog.pg_backend_pid()
        and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())`,
  );
  return new Map(rows.map(({ key, pid }) => [key, pid ?? 0]));
}
