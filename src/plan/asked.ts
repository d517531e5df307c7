import type { TenantSelection } from '../catalog/discover.js';
import type { Shard } from '../catalog/shard.js';
import { APPROVALS, type Approval } from '../diff/context.js';

/** What shaped a plan beside the desired state: which tenants, and what was approved ahead. Part of what an approval covers. */
export interface Asked {
  readonly schemas: readonly string[];
  /** LIKE patterns. */
  readonly exclude: readonly string[];
  readonly allowEmpty: boolean;
  readonly createSchema: boolean;
  readonly shard: Shard | null;
  readonly allow: readonly Approval[];
}

/** A plan of the whole fleet, with nothing approved ahead. */
export const ASKED_FOR_ALL: Asked = {
  schemas: [],
  exclude: [],
  allowEmpty: false,
  createSchema: false,
  shard: null,
  allow: [],
};

/** The same request gives the same value, in whatever order it was made. */
export const askedOf = (selection: TenantSelection, allow: ReadonlySet<Approval>): Asked => ({
  schemas: [...new Set(selection.schemas)].sort(),
  exclude: [...new Set(selection.exclude)].sort(),
  allowEmpty: selection.allowEmpty,
  createSchema: selection.allowAbsent,
  shard: selection.shard ?? null,
  allow: APPROVALS.filter((approval) => allow.has(approval)),
});
