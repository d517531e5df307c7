import type { IndexUsage } from '../catalog/fact-types.js';
import type { IndexFamily } from '../desired-state/model.js';
import type { Alteration } from '../sql/ddl/table.js';
import type { OwnName } from '../sql/own-names.js';
import type { ObjectName, SqlTemplate } from '../sql/template.js';
import { type LockMode, strongest } from './lock-mode.js';
import type { Step } from './step.js';

/** Every kind of correction; part of the JSON contract. */
export const ACTIONS = [
  'create-extension',
  'create-schema',
  'create-table',
  'alter-table',
  'add-column',
  'alter-column',
  'replace-column',
  'add-constraint',
  'replace-constraint',
  'rename-constraint',
  'validate-constraint',
  'create-index',
  'rebuild-index',
  'rename-index',
  'alter-index',
  'drop-index',
  'create-materialized-view',
  'replace-materialized-view',
  'stamp-release',
] as const;
export type Action = (typeof ACTIONS)[number];

/** What a change risks or costs; part of the JSON contract. */
export const HAZARDS = [
  /** The table is rewritten, or every row of it read, under ACCESS EXCLUSIVE. */
  'TABLE_REWRITE',
  /** Every row is read once, under a lock that lets readers and writers go on. */
  'TABLE_SCAN',
  /** A table of another schema, which all tenants share, is locked against its writers, or against its readers too. */
  'SHARED_TABLE_LOCKED',
  /** Existing rows are updated, in batches. */
  'BACKFILL',
  /** An index is built on a table that holds rows. */
  'INDEX_BUILD',
  'INDEX_DROPPED',
  /** The index that is dropped has served scans since the statistics were reset. */
  'INDEX_IN_USE',
  /** No index serves its queries between the drop and the end of the build. */
  'INDEX_ABSENT_MEANWHILE',
  /** Existing rows get no value; the application has to fill them. */
  'VALUES_MISSING',
  'COLUMN_DROPPED',
  /** The method wants a unique key and nothing makes it so. */
  'KEY_NOT_UNIQUE',
] as const;
export type Hazard = (typeof HAZARDS)[number];

/** `pending`: apply makes it. `blocked`: apply refuses it. `deferred`: it waits for data or for the application. */
export const STATUSES = ['pending', 'blocked', 'deferred'] as const;
export type Status = (typeof STATUSES)[number];

/** Evidence that a change relies on, and that apply checks again under the lock. */
export type Assumption =
  | { readonly kind: 'no-rows'; readonly table: string }
  | { readonly kind: 'no-values'; readonly table: string; readonly column: string }
  /** Fewer than `below` rows match, of `where` with each member's values. */
  | {
      readonly kind: 'few-rows';
      readonly table: string;
      readonly where: SqlTemplate | null;
      readonly below: number;
    }
  /** No row of the family's table gives a member by the name of one of the change's members. */
  | { readonly kind: 'no-member'; readonly table: string; readonly family: IndexFamily };

/** A name in the tenant's schema that a change gives to something, and that nothing else may have. */
export interface TakenName {
  readonly name: ObjectName;
  /** A view counts as a table: both have a type of their name. `key`: a primary key's or unique constraint's index. */
  readonly of: 'table' | 'index' | 'key';
}

/**
 * One correction of one tenant's drift, in terms that hold for every tenant that needs it: names of tenants and members
 * are variables of its templates.
 */
export interface Change {
  readonly phase: string;
  readonly action: Action;
  /** The table or view it is about; `''` for schemas and extensions. */
  readonly table: string;
  /** The column, constraint, index or family that it makes true. */
  readonly object: string;
  /** The family's label when this stands for all of its members that need the same. */
  readonly family: string | null;
  readonly status: Status;
  /** Why: what is, against what is declared. */
  readonly reason: string;
  /** What blocks or defers it, with the evidence; null while pending. */
  readonly obstacle: string | null;
  /** What the operator can do about that; null while pending. */
  readonly remedy: string | null;
  readonly hazards: readonly Hazard[];
  readonly steps: readonly Step[];
  readonly assumptions: readonly Assumption[];
  /** Names that it needs to find free. What replaces an object under its own name takes none. */
  readonly takes: readonly TakenName[];
  /** The sequence of the tenant that it draws numbers from and does not make: without it the change is refused. */
  readonly draws?: string;
  /** What of the tenant's schema it names and does not make: without it the change is refused. */
  readonly finds?: readonly OwnName[];
  /** Names of other objects that it makes free. */
  readonly frees: readonly ObjectName[];
  /** Keys of what this makes (`column:t.c`) and of what must be there first. */
  readonly provides: readonly string[];
  readonly needs: readonly string[];
  /** Changes of one group happen all or not at all. */
  readonly group: string | null;
  /** What a deferred change waits for that ends by itself soon: another session's index build. Null for anything else. */
  readonly waitsFor: 'build' | null;
  /** The change that this one waits for, in words, where that is refused or deferred itself: it has the obstacle and the remedy. */
  readonly behind?: string | undefined;
}

/** A change with what one tenant fills in. */
export interface TenantChange {
  readonly change: Change;
  /** For a family's change: one set of values a member (`index`, `temporary`, `set.value` …). Null for any other. */
  readonly members: readonly Member[] | null;
  /** Of the indexes that it drops: scans since the statistics were reset, and bytes. Absent where that was not asked. */
  readonly usage?: IndexUsage;
}

/** Whether apply is to make an item's change. */
export const isPending = ({ change }: { readonly change: Change }): boolean => change.status === 'pending';

/** One member's values, by variable name. */
export type Member = Readonly<Record<string, string>>;

/** What a name in a change stands for: of a family's change, one name a member. */
export const namesFor = (name: ObjectName, members: readonly Member[] | null): readonly string[] =>
  typeof name === 'string' ? [name] : (members ?? []).flatMap((member) => member[name.variable] ?? []);

/** Keys for {@link Change.provides} and {@link Change.needs}. */
export const key = {
  /** Every table of the tenant: what a view may read. */
  allTables: 'tables',
  table: (table: string) => `table:${table}`,
  column: (table: string, column: string) => `column:${table}.${column}`,
  /** A unique or primary key over exactly these columns, in any order. */
  unique: (table: string, columns: readonly string[]) => `unique:${table}(${[...columns].sort().join(',')})`,
  /** The table's primary key is one no more: of two that are declared otherwise, the other can be made. */
  noPrimaryKey: (table: string) => `no-primary-key:${table}`,
  /** The column is neither generated nor an identity any more. */
  plain: (table: string, column: string) => `plain:${table}.${column}`,
  index: (table: string, index: string) => `index:${table}.${index}`,
  notNull: (table: string, column: string) => `not-null:${table}.${column}`,
  /** The table is logged, or unlogged, as declared. */
  persistence: (table: string) => `persistence:${table}`,
  /** Leftovers of interrupted runs on a table are gone: their names are free again. */
  cleared: (table: string) => `cleared:${table}`,
  /** All of a phase's index builds on a table: what an unexpected index's drop waits for. */
  built: (phase: string, table: string) => `built:${phase}.${table}`,
};

/** A change with everything optional left at its neutral value. */
export function change(
  fields: Pick<Change, 'phase' | 'action' | 'table' | 'object' | 'reason' | 'steps'> & Partial<Change>,
): Change {
  return {
    family: null,
    status: 'pending',
    obstacle: null,
    remedy: null,
    hazards: [],
    assumptions: [],
    takes: [],
    frees: [],
    provides: [],
    needs: [],
    group: null,
    waitsFor: null,
    ...fields,
  };
}

/** The same change, refused. */
export function blocked(of: Change, obstacle: string, remedy: string): Change {
  return { ...of, status: 'blocked', obstacle, remedy, behind: undefined };
}

/** The same change, put off. */
export function deferred(of: Change, obstacle: string, remedy: string): Change {
  return { ...of, status: 'deferred', obstacle, remedy, behind: undefined };
}

/**
 * The same change, refused or put off as another one is that it cannot do without.
 * @param behind that one in words, where the obstacle says no more than that it is waited for
 */
export function heldLike(cause: Change, of: Change, obstacle: string, behind?: string): Change {
  const { status, waitsFor } = cause;
  return { ...of, status, obstacle, remedy: cause.remedy ?? '', waitsFor, behind };
}

/** Items with their changes as `revise` gives them: an item whose change stays as it is stays itself. */
export function revised<T extends { readonly change: Change }>(
  items: readonly T[],
  revise: (made: Change) => Change,
): readonly T[] {
  return items.map((item) => {
    const change = revise(item.change);
    return change === item.change ? item : { ...item, change };
  });
}

/** What a change alters of its table. */
export const alterations = (of: Change): readonly Alteration[] => of.steps.flatMap(({ sql }) => sql.alters ?? []);

/** The strongest lock that a change takes. */
export const strongestLock = ({ steps }: Change): LockMode => strongest(steps.map(({ lock }) => lock.mode));
