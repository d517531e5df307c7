import { counted, number } from '../../counted.js';
import type { Row } from '../../database/session.js';
import { size } from '../../measures.js';
import { quoteLiteral } from '../../sql/quote.js';
import { check } from '../check.js';
import { type Finding, finding } from '../finding.js';

/** Transactions that a slot may lag behind before it is told: vacuum is held back by as many. */
const LAG = 10_000_000;

/** A slot as the server has it. */
export interface SlotRow extends Row {
  readonly slot: string;
  readonly kind: string;
  readonly active: boolean;
  readonly temporary: boolean;
  /** Bytes of WAL that it keeps; null where it keeps none. */
  readonly kept: string | null;
  /** Transactions that its horizon is behind; null for none. */
  readonly lag: string | null;
}

/** Slots that nobody reads, or whose reader has fallen far behind. */
export const replicationSlots = check({
  name: 'replication-slots',
  read: ({ session }) =>
    session.query<SlotRow>(
      `select s.slot_name::text slot, s.slot_type kind, s.active, s.temporary,
              pg_catalog.pg_wal_lsn_diff(case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
                                              else pg_catalog.pg_current_wal_lsn() end, s.restart_lsn)::int8::text kept,
              greatest(pg_catalog.age(s.xmin), pg_catalog.age(s.catalog_xmin))::text lag
         from pg_catalog.pg_replication_slots s order by 1`,
    ),
  judge: judgeSlots,
});

/** The pure part. */
export function judgeSlots(slots: readonly SlotRow[]): readonly Finding[] {
  const holding = slots.filter(
    ({ active, kept, lag }) => Number(lag ?? 0) > LAG || (!active && (kept !== null || lag !== null)),
  );
  if (holding.length === 0)
    return [
      finding('replication-slots', 'ok', {
        what: slots.length === 0 ? 'none' : `${counted(slots.length, 'slot')}, all with a reader that keeps up`,
      }),
    ];
  return [
    finding('replication-slots', 'warning', {
      what: `${counted(holding.length, 'slot')} without a reader, or far behind`,
      why: [
        ...(holding.some(({ kept }) => kept !== null)
          ? ['all WAL since is kept, and each index that an apply builds is written to it: until the disk is full']
          : []),
        ...(holding.some(({ lag }) => lag !== null)
          ? [
              'vacuum removes no row of the catalogs that the slot may still need, and each change of an apply leaves some',
            ]
          : []),
      ].join('; '),
      remedy: 'start the reader again; drop a slot that has none any more:',
      statements: holding
        .filter(({ active }) => !active)
        .map(({ slot }) => `SELECT pg_catalog.pg_drop_replication_slot(${quoteLiteral(slot).trim()})`),
      subjects: holding.map(described),
    }),
  ];
}

function described({ slot, kind, active, kept, lag }: SlotRow): string {
  const parts = [
    `${kind}${active ? '' : ', no reader'}`,
    ...(kept === null ? [] : [`keeps ${size(Math.max(0, Number(kept)))} of WAL`]),
    ...(lag === null ? [] : [`${number(Number(lag))} transactions behind`]),
  ];
  return `"${slot}" (${parts.join(', ')})`;
}
