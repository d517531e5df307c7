import { isLost } from '../database/database-errors.js';
import type { Session } from '../database/session.js';
import type { DesiredState } from '../desired-state/model.js';
import type { Checked } from '../plan/check-fragments.js';
import { lockHolders } from './holders.js';
import { migrationLockKeys, releaseMigrationLocks, tryMigrationLocks } from './migration-lock.js';
import { releaseTenantLocks, tenantLockKey, tryTenantLocks } from './tenant-lock.js';

/** The locks that a batch holds. */
export interface HeldLocks {
  /** The tenants of which every lock was had. */
  readonly schemas: ReadonlySet<string>;
  /** Who held those of the others, in words, where they were still held. */
  readonly holders: ReadonlyMap<string, string>;
  /** Gives them back. Never throws: a lost session has no locks. */
  release(): Promise<void>;
}

/** Tries the locks of some tenants: of other runs of trueup, and of the application's migration where fleet.yaml names it. */
export async function tryLocks(
  session: Session,
  database: string,
  desired: DesiredState,
  schemas: readonly string[],
  checked: Checked,
): Promise<HeldLocks> {
  const tenants = await tryTenantLocks(session, database, schemas);
  const { keys, migrations } = await tryApplicationLocks(session, desired, [...tenants], checked).catch(
    async (error) => {
      // Else another run could not change these tenants for as long as this one goes on with others.
      await releaseTenantLocks(session, database, tenants).catch(() => {});
      throw error;
    },
  );
  const had = new Set([...tenants].filter((schema) => !keys.has(schema) || migrations.has(schema)));
  await releaseTenantLocks(
    session,
    database,
    [...tenants].filter((schema) => !had.has(schema)),
  );
  const missed = schemas.filter((schema) => !had.has(schema));
  const keysOf = (schema: string) => [tenantLockKey(database, schema), ...(keys.get(schema) ?? [])];
  return {
    schemas: had,
    holders: await lockHolders(session, new Map(missed.map((schema) => [schema, keysOf(schema)]))),
    async release() {
      try {
        const held = new Map([...keys].filter(([schema]) => migrations.has(schema)));
        await releaseMigrationLocks(session, held);
        await releaseTenantLocks(session, database, had);
      } catch (error) {
        if (!isLost(error)) throw error;
      }
    },
  };
}

async function tryApplicationLocks(
  session: Session,
  desired: DesiredState,
  schemas: readonly string[],
  checked: Checked,
) {
  const keys = await migrationLockKeys(session, desired, schemas, checked);
  return { keys, migrations: await tryMigrationLocks(session, keys) };
}
