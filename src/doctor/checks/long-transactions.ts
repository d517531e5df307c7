import { type Snapshot, snapshots } from '../../apply/old-snapshots.js';
import { describeHolder } from '../../catalog/lock-holder.js';
import { counted } from '../../counted.js';
import { duration } from '../../measures.js';
import { check } from '../check.js';
import { finding } from '../finding.js';

/** Transactions that a concurrent build would wait for: the same that apply looks for before it begins one. */
export const longTransactions = check({
  name: 'long-transactions',
  read: ({ session }): Promise<readonly Snapshot[]> =>
    session.embedded ? Promise.resolve([]) : snapshots(session, []),
  judge: (open, { request }) => {
    const { longTransaction } = request;
    const old = open
      .filter(({ age }) => age !== null && age >= longTransaction)
      .sort((left, right) => (right.age ?? 0) - (left.age ?? 0));
    const hidden = open.filter(({ age }) => age === null).length;
    const unseen = hidden === 0 ? '' : `; the age of ${counted(hidden, 'other')} is hidden from this role`;
    if (old.length === 0)
      return [
        finding('long-transactions', hidden === 0 ? 'ok' : 'note', {
          what: `none older than ${duration(longTransaction)} holds a snapshot in this database${unseen}`,
          ...(hidden === 0 ? {} : { remedy: 'see privileges: pg_read_all_stats' }),
        }),
      ];
    return [
      finding('long-transactions', 'warning', {
        what: `${counted(old.length, 'transaction')} older than ${duration(longTransaction)} ${old.length === 1 ? 'holds' : 'hold'} a snapshot in this database${unseen}`,
        why: 'a concurrent index build waits for each of them at its end: apply does not begin one meanwhile, and leaves those tenants over',
        remedy: 'wait for them, or end those that nobody needs',
        statements: old.map(({ holder }) => `SELECT pg_catalog.pg_terminate_backend(${holder.pid})`),
        subjects: old.map(({ holder }) => describeHolder(holder)),
      }),
    ];
  },
});
