/**
 * Hashes of 64 bits in SQL, under the seed $4. They are quick, and not made to withstand someone who looks for collisions:
 * the seed is drawn anew for each reading of a fleet, so that none found beforehand is one then.
 *
 * What PostgreSQL's functions leave to the caller, each tried on a server:
 * - `hash_record_extended` is a sum, 31 h(a) + h(b) of row(a, b). Put together over rows it tells which values each column has,
 *   not which row has which. So a row's seed is made from what tells it from its table's other rows ({@link keyedHash}), or
 *   its hash is the seed of the hash of that.
 * - `hashint8extended` folds its argument to 32 bits first, under any seed: 1 and 2^32 collide. No bigint stands in a
 *   record that is hashed; a hash goes into another as its seed, which all functions take whole.
 * - NULL hashes to 0 and an array hashes without its bounds: as values that no other value of the same column hashes to
 *   more often than by chance.
 */
export const SEED = '$4::int8';

/** A text, hashed. */
export const textHash = (text: string, seed = SEED): string => `pg_catalog.hashtextextended(${text}, ${seed})`;

/** A row of any columns, hashed as text: for the few. */
export const rowHash = (columns: string): string => textHash(`row(${columns})::text`);

/**
 * One row of those that are put together, without a bigint in it, hashed.
 * @param key text that no other row of its kind and table has
 */
export const keyedHash = (columns: string, key: string, seed?: string): string =>
  seededHash(columns, textHash(key, seed));

/** The same under a hash that tells it from the other rows. */
export const seededHash = (columns: string, seed: string): string =>
  `pg_catalog.hash_record_extended(row(${columns}), ${seed})`;
