import { freeOf, tightestLimit } from '../../apply/connections.js';
import { connectSoon, isPooled, refuseSharedBackends } from '../../database/pooler.js';
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
    switch (is) {
      case 'embedded':
        return [finding('pooler', 'ok', { what: 'none: embedded' })];
      case 'none':
        return [finding('pooler', 'ok', { what: 'none between trueup and the server' })];
      case 'session':
        return [finding('pooler', 'ok', { what: 'one that gives each session a backend of its own' })];
      case 'untold':
        return [
          finding('pooler', 'warning', {
            what: 'there is a pooler, and no second connection is free to tell whether it shares backends',
            why: 'locks and settings of a session would not hold there: apply refuses to begin',
            remedy: 'look again when connections are free',
          }),
        ];
      case 'shared':
        return [
          finding('pooler', 'problem', {
            what: 'a pooler shares backends between connections (transaction or statement mode)',
            why: 'locks and settings of a session do not hold there: apply refuses to begin',
            remedy: POOLER_REMEDY,
          }),
        ];
    }
  },
});

async function probe({ database, session }: CheckContext): Promise<'none' | 'session' | 'shared' | 'untold'> {
  const others: Session[] = [];
  try {
    // Not the last ones: those are the application's.
    const limit = await tightestLimit(session);
    const free = limit === null ? OTHERS : freeOf(limit) - 1;
    while (others.length < Math.min(OTHERS, database.maxSessions - 1, free)) {
      // A pool in session mode may have fewer backends than the server: what there is tells as well.
      const other = await connectSoon(database);
      if (other === null) break;
      others.push(other);
    }
    const pooled = isPooled([session, ...others]);
    if (pooled && others.length === 0) return 'untold';
    await refuseSharedBackends(session, others);
    return pooled ? 'session' : 'none';
  } catch (error) {
    if (error instanceof TrueupError && error.code === 'POOLER_SHARES_BACKENDS') return 'shared';
    throw error;
  } finally {
    await Promise.all(others.map((other) => other.close()));
  }
}
