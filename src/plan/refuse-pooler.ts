import { setTimeout as sleep } from 'node:timers/promises';
import { isPooled, refuseSharedBackends } from '../database/pooler.js';
import type { Database, Session } from '../database/session.js';

/** How long a pooler may take to give a second session a backend, in milliseconds. */
const PATIENCE = 3000;

/**
 * Refuses a pooler that shares backends: what a plan reads in one transaction holds there, what it reads outside of one may
 * come from a session without the settings that give it its meaning. Without a pooler in sight nothing is opened or sent.
 * Where there is no second session to tell by, nothing is refused: a pooler in session mode may have but one backend.
 * @throws {TrueupError} POOLER_SHARES_BACKENDS
 */
export async function refusePooler(database: Database, session: Session): Promise<void> {
  if (database.maxSessions < 2 || !isPooled([session])) return;
  const other = await second(database);
  if (other === null) return;
  try {
    await refuseSharedBackends(session, [other]);
  } finally {
    await other.close();
  }
}

/** Null when none is to be had. One that comes later is ended: its backend is somebody else's to use. */
async function second(database: Database): Promise<Session | null> {
  const timer = new AbortController();
  const late = Symbol('late');
  const opening = database.connect().catch(() => null);
  const first = await Promise.race([opening, sleep(PATIENCE, late, { signal: timer.signal }).catch(() => late)]);
  timer.abort();
  if (typeof first !== 'symbol') return first;
  void opening.then((session) => session?.close());
  return null;
}
