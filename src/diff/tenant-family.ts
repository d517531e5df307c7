import type { DesiredTable, IndexFamily } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import type { OwnedIndex } from './context.js';
import type { ExpectedMember } from './family-members.js';

/** A family of one tenant, with the members that its rows ask for. */
export interface TenantFamily {
  readonly desired: DesiredTable;
  readonly family: IndexFamily;
  /** The table as it is; null when this run makes it. */
  readonly actual: TableShape | null;
  readonly expected: ReadonlyMap<string, ExpectedMember>;
  /** Indexes of the table that are read apart and that no declaration by name claims. */
  readonly candidates: readonly OwnedIndex[];
  readonly replaced: ReadonlySet<string>;
  /** Matches every name that the family can give. */
  readonly pattern: RegExp;
  /** The same of the table's families that are not diffed yet, or cannot be: what they may have named is no orphan so far. */
  readonly later: readonly RegExp[];
  /** The table's families that are diffed already. */
  readonly earlier: readonly { readonly family: IndexFamily; readonly pattern: RegExp }[];
  /** What those call their members in this tenant. */
  readonly taken: ReadonlySet<string>;
}
