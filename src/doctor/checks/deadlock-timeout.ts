import type { Row } from '../../database/session.js';
import { check } from '../check.js';
import { finding } from '../finding.js';

/** How near to deadlock_timeout the budget for locks may come: the server's timers are not exact. */
const MARGIN = 0.8;

/** The server's deadlock_timeout against the budget for locks. */
export const deadlockTimeout = check({
  name: 'deadlock-timeout',
  read: async ({ session }) => {
    const [row] = await session.query<Row & { ms: number }>(
      `select s.setting::int4 ms from pg_catalog.pg_settings s where s.name = 'deadlock_timeout'`,
    );
    return row?.ms ?? 1000;
  },
  judge: (ms, { request }) => {
    const { lockTimeout } = request;
    if (lockTimeout <= ms * MARGIN)
      return [finding('deadlock-timeout', 'ok', { what: `${ms} ms, above the ${lockTimeout} ms of --lock-timeout` })];
    return [
      finding('deadlock-timeout', lockTimeout < ms ? 'warning' : 'problem', {
        what: `deadlock_timeout is ${ms} ms, and --lock-timeout ${lockTimeout} ms`,
        why: 'where apply and the application block each other, whoever reaches deadlock_timeout first is ended: it is to be apply, by its own limit, and never a statement of the application',
        remedy: `give apply --lock-timeout ${Math.max(1, Math.floor(ms / 2))}ms, or raise deadlock_timeout`,
        statements: [`ALTER SYSTEM SET deadlock_timeout = '${Math.max(1000, 2 * lockTimeout)}ms'`, RELOAD],
      }),
    ];
  },
});

const RELOAD = 'SELECT pg_catalog.pg_reload_conf()';
