import { DatabaseError } from '../database/session.js';

/** Locks that one statement may take: the default lock table holds 6,400 for everybody, the application included. */
const LOCKS_PER_STATEMENT = 1000;

/** Tables that one statement may read: to plan a UNION ALL of 250 took half as long again as five of 50. */
const ITEMS_PER_STATEMENT = 50;

/**
 * Errors that concern some item of a batch, not the connection: it vanished, was altered, is forbidden, or locks ran out. A lock
 * that was not had in time (55P03) is none: who holds it is found out and waited for, not sought by halves.
 */
const ITEM_ERRORS = new Set(['3F000', '42P01', '42501', '42703', '0A000', '53200', '55000', '42883', '42804', '57014']);

/**
 * Classes of such: what the rows hold, or a function that a view of the tenant's runs for them, cannot be computed (21, 22,
 * 38, 39, P0), and what is damaged: an invalid page, a file that is not there (58, XX).
 */
const ITEM_ERROR_CLASSES = new Set(['21', '22', '38', '39', '58', 'P0', 'XX']);

const isOfItem = (error: unknown): error is DatabaseError =>
  error instanceof DatabaseError && (ITEM_ERRORS.has(error.code) || ITEM_ERROR_CLASSES.has(error.code.slice(0, 2)));

/**
 * Runs items in batches, of at most {@link LOCKS_PER_STATEMENT} locks each. A batch that fails is halved until the item is found
 * that it fails for: one tenant that is dropped under a reader must not fail the fleet.
 * @param lockedBy what an item's locks are of: items of the same take them once a batch
 */
export async function inBatches<T>(
  items: readonly T[],
  locks: (item: T) => number,
  run: (batch: readonly T[]) => Promise<void>,
  failed: (item: T, error: DatabaseError) => void,
  lockedBy: (item: T) => unknown = (item) => item,
): Promise<void> {
  const attempt = async (batch: readonly T[]): Promise<void> => {
    try {
      await run(batch);
    } catch (error) {
      if (!isOfItem(error)) throw error;
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) failed(only, error);
      else {
        const middle = Math.ceil(batch.length / 2);
        await attempt(batch.slice(0, middle));
        await attempt(batch.slice(middle));
      }
    }
  };
  let batch: T[] = [];
  let taken = 0;
  let held = new Set<unknown>();
  for (const item of items) {
    const key = lockedBy(item);
    const weight = () => (held.has(key) ? 0 : Math.max(1, locks(item)));
    if (batch.length > 0 && (batch.length >= ITEMS_PER_STATEMENT || taken + weight() > LOCKS_PER_STATEMENT)) {
      await attempt(batch);
      batch = [];
      taken = 0;
      held = new Set();
    }
    batch.push(item);
    taken += weight();
    held.add(key);
  }
  if (batch.length > 0) await attempt(batch);
}
