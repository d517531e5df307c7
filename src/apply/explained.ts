import { describeHolder } from '../catalog/lock-holder.js';
import { DatabaseError, type Session } from '../database/session.js';
import { isPassing } from './failure.js';
import { findHolders } from './holders.js';
import { countOffenders } from './offenders.js';
import { lockedBy, type TransactionUnit } from './transaction-unit.js';

/** An error with what was found out about its cause while that was still there. */
export class Explained extends Error {
  constructor(
    readonly error: unknown,
    readonly note: string,
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
    const note = await noteOn(error, session, schema, unit);
    return note === null ? error : new Explained(error, note);
  } catch {
    return error;
  }
}

async function noteOn(error: unknown, session: Session, schema: string, unit: TransactionUnit): Promise<string | null> {
  if (!(error instanceof DatabaseError)) return null;
  if (isPassing(error)) {
    const { tables, mode } = lockedBy(unit);
    const holders = await findHolders(session, schema, tables, mode);
    return holders.length === 0 ? null : `held by ${holders.slice(0, NAMED).map(describeHolder).join('; ')}`;
  }
  // Class 23: integrity constraint violations.
  if (!error.code.startsWith('23')) return null;
  for (const statement of unit.statements) {
    const sentence = await countOffenders(session, statement);
    if (sentence !== null) return sentence;
  }
  return null;
}
