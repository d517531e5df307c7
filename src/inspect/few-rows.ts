import { isLockTimeout } from '../catalog/locked-tenants.js';
import { DatabaseError, type Row, type Session } from '../database/session.js';

/** The rows of a small table, as text; null where there are more than `limit`, or where they cannot be read. */
export async function readFew(
  session: Session,
  from: string,
  expressions: readonly string[],
  limit: number,
): Promise<readonly (readonly (string | null)[])[] | null> {
  try {
    const rows = await session.query<Row & { v: readonly (string | null)[] }>(
      `select array[${expressions.map((one) => `(${one})::text`).join(', ')}] v from ${from} limit ${limit + 1}`,
    );
    return rows.length > limit ? null : rows.map((row) => row.v);
  } catch (error) {
    // Whoever locks the table is waited for.
    if (isLockTimeout(error)) throw error;
    // No privilege, a policy, a table that went: nothing can be told from its rows.
    if (error instanceof DatabaseError && !/^(?:08|57P)/u.test(error.code)) return null;
    throw error;
  }
}
