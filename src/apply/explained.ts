import { describeHolder, type Holder } from '../catalog/lock-holder.js';
import { grantOf, readNotReferable } from '../catalog/referable.js';
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
    const holders: Holder[] = [];
    for (const of of locked) holders.push(...(await findHolders(session, of.schema, of.tables, of.mode)));
    const named = holders.slice(0, NAMED).map(describeHolder).join('; ');
    return named === '' ? null : new Explained(error, `held by ${named}`);
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
