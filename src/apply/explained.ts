import { describeHolder } from '../catalog/lock-holder.js';
import { grantOf, readNotReferable } from '../catalog/referable.js';
import { groupBy } from '../collections.js';
import { DatabaseError, type Session } from '../database/session.js';
import { referenceName } from '../shape/table-reference.js';
import { isPassing } from './failure.js';
import { findHolders, type TableHolder } from './holders.js';
import { countOffenders } from './offenders.js';
import { lockedBy, type TransactionUnit } from './transaction-unit.js';

/** An error with what was found out about its cause while that was still there. */
export class Explained extends Error {
  constructor(
    readonly error: unknown,
    readonly note: string,
    /** What to do about it, where that is other than what the error says. */
    readonly remedy: string | null = null,
  ) {
    super(note, { cause: error });
  }
}

/** Holders that are named: the oldest transactions. */
const NAMED = 3;

/** Who holds the lock that was not had, or how many rows violate what was wanted. Never throws: the error says enough. */
export async function explained(
  error: unknown,
  session: Session,
  schema: string,
  unit: TransactionUnit,
): Promise<unknown> {
  try {
    return (await explanationOf(error, session, schema, unit)) ?? error;
  } catch {
    return error;
  }
}

async function explanationOf(
  error: unknown,
  session: Session,
  schema: string,
  unit: TransactionUnit,
): Promise<Explained | null> {
  if (!(error instanceof DatabaseError)) return null;
  const locked = lockedBy(unit, schema);
  if (isPassing(error)) {
    const holders: TableHolder[] = [];
    for (const of of locked) {
      const found = await findHolders(session, of.schema, of.tables, of.mode);
      const named = (table: string) => referenceName({ schema: of.schema === schema ? null : of.schema, table });
      holders.push(...found.map((holder) => ({ ...holder, tables: holder.tables.map(named) })));
    }
    const byTables = groupBy(holders.slice(0, NAMED), ({ tables }) => tables.join(', '));
    if (byTables.size === 0) return null;
    // The server does not say which table it was.
    const notes = [...byTables].map(([tables, of]) => `lock on ${tables} held by ${of.map(describeHolder).join('; ')}`);
    return new Explained(error, notes.join('; '));
  }
  if (error.code === NO_PRIVILEGE) {
    // The server names the table alone, and any tenant may have one of that name.
    const [own, ...shared] = locked;
    const [table] = await readNotReferable(
      session,
      shared.flatMap((of) => of.tables.map((one) => ({ schema: of.schema, table: one }))),
      { schema, table: own?.tables[0] ?? '' },
    );
    return table === undefined
      ? null
      : new Explained(error, `the role may not make foreign keys onto ${table}`, grantOf(table));
  }
  // Class 23: integrity constraint violations.
  if (!error.code.startsWith('23')) return null;
  for (const statement of unit.statements) {
    const sentence = await countOffenders(session, statement);
    if (sentence !== null) return new Explained(error, sentence);
  }
  return null;
}

const NO_PRIVILEGE = '42501';
