import { connectSoon, isPooled, refuseSharedBackends } from '../database/pooler.js';
import type { Database, Session } from '../database/session.js';

/**
 * Refuses a pooler that shares backends: what a plan reads in one transaction holds there, what it reads outside of one may
 * come from a session without the settings that give it its meaning. Without a pooler in sight nothing is opened or sent.
 * Where there is no second session to tell by, nothing is refused: a pooler in session mode may have but one backend.
 * @throws {TrueupError} POOLER_SHARES_BACKENDS
 */
export async function refusePooler(database: Database, session: Session): Promise<void> {
  if (database.maxSessions < 2 || !isPooled([session])) return;
  const other = await connectSoon(database).catch(() => null);
  if (other === null) return;
  try {
    await refuseSharedBackends(session, [other]);
  } finally {
    await other.close();
  }
}
