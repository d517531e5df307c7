import { isLockTimeout, lockedTenants, patiently } from '../catalog/locked-tenants.js';
import type { Session } from '../database/session.js';
import type { Progress } from '../progress.js';

/** How often locks are waited out, before the next that is in the way is waited for as long as it takes. */
const ATTEMPTS = 4;

/** Tenants that are left out of a reading because others hold locks on their tables, and who does, in words. */
export type Locked = ReadonlyMap<string, string>;

/** How a reading is to be made. */
export interface Attempt {
  readonly locked: Locked;
  /** Whether locks are waited for without a limit: by the one session alone, since any other would have one. */
  readonly isLast: boolean;
}

/**
 * Reads a fleet past tenants that somebody locks: one tenant's open migration must not hold up, or fail, the plan of all
 * others. What a lock is in the way of is read again, without the tenants that stay locked; and in the end without a
 * limit, since giving up would tell nothing of any tenant.
 * @param session in no transaction
 * @param of tables: names of the tables that are read, null for all; schemas: the tenants, where they are named
 */
export async function pastLocks<T>(
  session: Session,
  of: { readonly tables: readonly string[] | null; readonly schemas: readonly string[]; readonly progress: Progress },
  read: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const locked = new Map<string, string>();
  for (let attempt = 1; attempt < ATTEMPTS; attempt += 1)
    try {
      return await patiently(session, () => read({ locked, isLast: false }));
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      of.progress.phase('waiting for locks of others');
      for (const [schema, by] of await lockedTenants(session, of.tables, of.schemas)) locked.set(schema, by);
    }
  return read({ locked, isLast: true });
}
