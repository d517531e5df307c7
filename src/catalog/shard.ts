import { createHash } from 'node:crypto';

/** One part of a fleet that several runs share, by a stable hash: each tenant is in exactly one of `count` parts. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/**
 * Whether a tenant belongs to a shard: the first 8 bytes of `sha256(database + '\0' + schema)` (UTF-8), read as an unsigned
 * big-endian number, modulo `count`, are its index. Part of the contract: runs of different versions on different
 * machines must agree.
 * @param database the server's own name of it (`current_database()`): what a client calls it may differ between machines
 */
export function isInShard(shard: Shard, database: string, schema: string): boolean {
  const hash = createHash('sha256').update(`${database}\0${schema}`).digest().readBigUInt64BE(0);
  return Number(hash % BigInt(shard.count)) === shard.index;
}
