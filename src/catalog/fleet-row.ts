import type { Row } from '../database/session.js';

/** A row of the statement that passes over a fleet's catalogs; which columns say something, `what` tells. */
export interface FleetRow extends Row {
  readonly what: 'shape' | 'index' | 'members' | 'kind';
  readonly tab: string;
  /** Of an index its name, of a shape its hash. */
  readonly name: string;
  readonly def: string;
  readonly pred: string | null;
  /** The tenant, where its schema's name may stand in the predicate. */
  readonly own: string | null;
  /** Of indexes one's oid, of a shape one of its tenants. */
  readonly rep: string;
  readonly phase: string | null;
  readonly schemas: readonly string[];
  readonly digests: readonly string[];
  readonly fam: number;
  readonly kinds: readonly string[];
  /** Of a shape: its tables, as one of its tenants has them. */
  readonly tables: readonly HashedTable[] | null;
}

/** A table, and what its shape is hashed to. */
export interface HashedTable {
  readonly name: string;
  readonly hash: string;
  readonly oid: string;
  /** Indexes of it, by oid, that are no part of its shape; digested members are not named. Null for none. */
  readonly apart: readonly string[] | null;
}
