import { number } from '../../counted.js';
import type { Row } from '../../database/session.js';
import { check } from '../check.js';
import { type Finding, finding } from '../finding.js';

/** From here on an emergency is near: the server refuses writes 3 million before 2^31 (varsup.c, SetTransactionIdLimit). */
const DANGER = 1_600_000_000;

export interface Ages {
  readonly transactions: number;
  readonly multixacts: number;
  readonly freezeAt: number;
  readonly multixactFreezeAt: number;
}

/** How far the oldest unfrozen row of this database is behind. */
export const wraparound = check({
  name: 'wraparound',
  read: async ({ session }): Promise<Ages> => {
    const [row] = await session.query<Row & { xids: number; mxids: number; freeze: number; mfreeze: number }>(
      `select pg_catalog.age(d.datfrozenxid) xids, pg_catalog.mxid_age(d.datminmxid) mxids,
              pg_catalog.current_setting('autovacuum_freeze_max_age')::int4 freeze,
              pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::int4 mfreeze
         from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()`,
    );
    return {
      transactions: row?.xids ?? 0,
      multixacts: row?.mxids ?? 0,
      freezeAt: row?.freeze ?? 0,
      multixactFreezeAt: row?.mfreeze ?? 0,
    };
  },
  judge: judgeAges,
});

/** The pure part. */
export function judgeAges({ transactions, multixacts, freezeAt, multixactFreezeAt }: Ages): readonly Finding[] {
  const [age, what] = transactions >= multixacts ? [transactions, 'transactions'] : [multixacts, 'multixacts'];
  const told = `the oldest row that is not frozen is ${number(age)} ${what} old`;
  const late = transactions > 2 * freezeAt || multixacts > 2 * multixactFreezeAt;
  if (!late && age < DANGER) return [finding('wraparound', 'ok', { what: told })];
  return [
    finding('wraparound', age >= DANGER ? 'problem' : 'warning', {
      what: `${told}: autovacuum does not keep up`,
      why: 'short of 2 billion the server refuses every write of every tenant; thousands of tables take long to freeze, and each change of an apply is a transaction more',
      remedy:
        'see what holds vacuum back (long and prepared transactions, replication slots), then, as an administrator:',
      statements: ['VACUUM (FREEZE)'],
    }),
  ];
}
