import { freeOf, tightestLimit } from '../../apply/connections.js';
import { counted } from '../../counted.js';
import { quoteIdentifier } from '../../sql/quote.js';
import { check } from '../check.js';
import { finding } from '../finding.js';

/** Room for an apply among the connections that there are now. */
export const connections = check({
  name: 'connections',
  read: async ({ session }) => (session.embedded ? null : tightestLimit(session)),
  judge: (limit, { request }) => {
    if (limit === null) return [finding('connections', 'ok', { what: 'embedded: one connection, and it is ours' })];
    // One of them is the session that asks.
    const free = freeOf(limit) + 1;
    const { of, what, setting, used, reserved } = limit;
    const kept = reserved === 0 ? '' : `, ${reserved} kept for administrators`;
    const stand = `${what} has room for ${counted(Math.max(0, free), 'connection')} of trueup (${setting} ${limit.limit}, ${used - 1} others in use${kept})`;
    if (free >= request.concurrency)
      return [finding('connections', 'ok', { what: `${stand}; apply opens ${request.concurrency}` })];
    const more = limit.limit + request.concurrency - free;
    return [
      finding('connections', 'problem', {
        what: `${stand}, and apply opens ${request.concurrency}`,
        why: 'apply refuses to begin rather than take the last connections from the application',
        remedy:
          of === 'server'
            ? `lower --concurrency to ${Math.max(1, free)}, end idle connections, or raise max_connections, which takes a restart`
            : `lower --concurrency to ${Math.max(1, free)}, or raise the limit`,
        statements: [
          of === 'server'
            ? `ALTER SYSTEM SET max_connections = ${more}`
            : of === 'database'
              ? `ALTER DATABASE ${quoteIdentifier(limit.database)} CONNECTION LIMIT ${more}`
              : `ALTER ROLE ${quoteIdentifier(limit.role)} CONNECTION LIMIT ${more}`,
        ],
      }),
    ];
  },
});
