import type { Row } from '../../database/session.js';
import { quoteIdentifier } from '../../sql/quote.js';
import { check } from '../check.js';
import { finding } from '../finding.js';

/** The version, and whether it takes writes at all. */
export const server = check({
  name: 'server',
  read: async ({ session }) => {
    const [row] = await session.query<Row & { readOnly: string }>(
      `select pg_catalog.current_setting('default_transaction_read_only') "readOnly"`,
    );
    return { readOnly: row?.readOnly === 'on', version: session.serverVersion };
  },
  judge: ({ readOnly, version }, { here }) => {
    if (version >= 140_000 && version < 140_004)
      return [
        finding('server', 'problem', {
          what: `PostgreSQL ${here.serverVersion} can corrupt indexes that are built CONCURRENTLY`,
          why: 'trueup builds every index of a populated table so; the release notes of 14.4 tell of it',
          remedy: 'update to 14.4 or newer before the next apply, and REINDEX what was built concurrently before',
        }),
      ];
    if (here.inRecovery)
      return [
        finding('server', 'problem', {
          what: `PostgreSQL ${here.serverVersion}, a hot standby`,
          why: 'plan works here; apply cannot write',
          remedy: 'point apply at the primary',
        }),
      ];
    if (readOnly)
      return [
        finding('server', 'problem', {
          what: `default_transaction_read_only is on for role ${here.loginUser} in database ${here.database}`,
          why: 'plan works; indexes are built CONCURRENTLY outside of transaction blocks, and are refused',
          remedy:
            'reset it where it is set: for the role in this database, for the role, for the database, or for the server',
          statements: [
            `ALTER ROLE ${quoteIdentifier(here.loginUser)} IN DATABASE ${quoteIdentifier(here.database)} SET default_transaction_read_only = off`,
          ],
        }),
      ];
    return [finding('server', 'ok', { what: `PostgreSQL ${here.serverVersion}, which takes writes` })];
  },
});
