import { refuseSharedBackends } from '../../apply/pooler.js';
import type { Session } from '../../database/session.js';
import { POOLER_REMEDY } from '../../database/shared-backends.js';
import { TrueupError } from '../../trueup-error.js';
import { type CheckContext, check } from '../check.js';
import { finding } from '../finding.js';

/** Further connections that are opened to tell; an apply of usual concurrency has as many. */
const OTHERS = 3;

/** A pooler in between, and whether it shares backends. */
export const pooler = check({
  name: 'pooler',
  read: async (context) => (context.session.embedded ? 'embedded' : probe(context)),
  judge: (is) => {
    if (is === 'embedded') return [finding('pooler', 'ok', { what: 'none: embedded' })];
    if (is === 'none') return [finding('pooler', 'ok', { what: 'none between trueup and the server' })];
    if (is === 'session')
      return [finding('pooler', 'ok', { what: 'one that gives each session a backend of its own' })];
    return [
      finding('pooler', 'problem', {
        what: 'a pooler shares backends between connections (transaction or statement mode)',
        why: 'locks and settings of a session do not hold there: apply refuses to begin',
        remedy: POOLER_REMEDY,
      }),
    ];
  },
});

async function probe({ database, session }: CheckContext): Promise<'none' | 'session' | 'shared'> {
  const others: Session[] = [];
  try {
    while (others.length < Math.min(OTHERS, database.maxSessions - 1)) others.push(await database.connect());
    await refuseSharedBackends(session, others);
  } catch (error) {
    if (error instanceof TrueupError && error.code === 'POOLER_SHARES_BACKENDS') return 'shared';
    throw error;
  } finally {
    await Promise.all(others.map((other) => other.close()));
  }
  const all = [session, ...others];
  return all.some(({ pid, announcedPid }) => announcedPid !== null && announcedPid !== pid) ? 'session' : 'none';
}
