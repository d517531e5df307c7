import { counted } from '../../counted.js';
import type { Row } from '../../database/session.js';
import { duration } from '../../measures.js';
import { quoteLiteral } from '../../sql/quote.js';
import { check } from '../check.js';
import { finding } from '../finding.js';

/** Prepared transactions of this database: they outlive every session. */
export const preparedTransactions = check({
  name: 'prepared-transactions',
  read: ({ session }) =>
    session.query<Row & { gid: string; owner: string; age: string }>(
      `select p.gid, p.owner::text "owner",
              pg_catalog.round(1000 * extract(epoch from pg_catalog.clock_timestamp() - p.prepared))::text age
         from pg_catalog.pg_prepared_xacts p
        where p.database = pg_catalog.current_database() order by p.prepared`,
    ),
  judge: (all, { request }) => {
    const old = all.filter(({ age }) => Number(age) >= request.longTransaction);
    if (old.length === 0)
      return [finding('prepared-transactions', 'ok', { what: `none older than ${duration(request.longTransaction)}` })];
    return [
      finding('prepared-transactions', 'warning', {
        what: `${counted(old.length, 'transaction')} prepared and never ended`,
        why: 'it keeps its locks, through restarts too, until somebody ends it: changes of the tables that it touched fail on them, and vacuum removes no dead row that is younger',
        remedy: 'ask the transaction manager that made it; COMMIT PREPARED if it was to be, else:',
        statements: old.map(({ gid }) => `ROLLBACK PREPARED ${quoteLiteral(gid).trim()}`),
        subjects: old.map(({ gid, owner, age }) => `"${gid}" of ${owner}, prepared ${duration(Number(age))} ago`),
      }),
    ];
  },
});
