import type { DesiredPhase, DesiredTable, ReleaseRule, ResolvedParameter } from '../desired-state/model.js';
import type { IndexShape, TableShape } from '../shape/table-shape.js';
import type { Facts } from './facts.js';

/** What an operator has agreed to. */
export const APPROVALS = ['rebuild-index', 'rebuild-column'] as const;
export type Approval = (typeof APPROVALS)[number];

/** Everything that the differ knows beside the two shapes. */
export interface DiffContext {
  readonly facts: Facts;
  readonly phases: readonly DesiredPhase[];
  readonly tables: readonly DesiredTable[];
  readonly parameters: Readonly<Record<string, ResolvedParameter>>;
  /** The stamp that the base phase asks for; null: none, or the tenant is being made by this run. */
  readonly release: ReleaseRule | null;
  readonly allow: ReadonlySet<Approval>;
  /** Whether an operator class (as SQL) is the default of a method for its type: named or not, it is the same. */
  isDefaultOpclass(method: string, opclass: string): boolean;
  /**
   * The tenant's schema, if declared foreign keys name it as the one that all tenants share: in this tenant they are onto its
   * own tables. Null in every other.
   */
  readonly home: string | null;
  /** The tenant's tables as they are: a new column takes the width that its others have. */
  readonly actualTables: ReadonlyMap<string, TableShape>;
}

/** An index that is read apart from the shapes. Its shape carries its own name and predicate. */
export interface OwnedIndex {
  readonly table: string;
  readonly index: IndexShape;
  /** Equal where definitions apart from name and predicate are equal. */
  readonly definition: string;
}
