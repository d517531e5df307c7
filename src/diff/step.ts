import type { TableReference } from '../shape/table-shape.js';
import type { DdlTemplate } from '../sql/ddl/table.js';
import type { ObjectName, SqlTemplate } from '../sql/template.js';
import type { LockMode } from './lock-mode.js';

/** One statement of a change. */
export interface Step {
  readonly sql: DdlTemplate;
  /**
   * `transaction`: together with its neighbours in one short transaction. `online`: alone, outside any transaction, as
   * CONCURRENTLY asks. `backfill`: repeated until it reports no more rows.
   */
  readonly mode: 'transaction' | 'online' | 'backfill';
  /** What it locks, for the lock budget. */
  readonly lock: {
    readonly mode: LockMode;
    /** Null: only objects that nobody else can know yet. */
    readonly table: string | null;
    /** It waits for no other lock: it refers to no other table, and touches no index that is there. */
    readonly only?: true;
    /** The table that a foreign key of the step is onto: the statement itself locks that one too, in the same mode. */
    readonly beside?: TableReference;
  };
  /** The index that this step builds: it must be valid afterwards. */
  readonly builds?: ObjectName;
  /** What takes the change's earlier steps back when existing rows fail this one: nothing stays half applied. */
  readonly undo?: readonly Step[];
  /** Counts the existing rows that this step fails for: sent only after it has failed. */
  readonly offenders?: Offenders;
}

/** How many existing rows, or groups of them, stand against a step, and the words for them. Never their values. */
export interface Offenders {
  /** One row `{ n }`, counted no further than OFFENDERS_COUNTED (src/sql/ddl/offenders.ts). */
  readonly count: SqlTemplate;
  /** The schema of a table of others that it looks into. */
  readonly reads?: string | null;
  /** `row has no value in "c"` … */
  readonly one: string;
  /** `rows have no value in "c"` … */
  readonly many: string;
}

/** A step in the transaction that keeps everybody else off its table. */
export const exclusively = (table: string, template: DdlTemplate): Step => ({
  sql: template,
  mode: 'transaction',
  lock: { mode: 'ACCESS EXCLUSIVE', table },
});

/** A step by itself, which lets readers and writers go on. */
export const concurrently = (table: string, template: DdlTemplate): Step => ({
  sql: template,
  mode: 'online',
  lock: { mode: 'SHARE UPDATE EXCLUSIVE', table },
});

/** A step about what nobody else can know yet. */
export const unlocked = (template: DdlTemplate): Step => ({
  sql: template,
  mode: 'transaction',
  lock: { mode: 'NONE', table: null },
});

/** The tables of the tenant that a step locks. */
export const ownTables = ({ lock: { table, beside } }: Step): readonly string[] =>
  [table, beside?.schema === null ? beside.table : null].filter((one) => one !== null);

/** The table which all tenants share that a step locks, if it does. */
export function sharedTable({ lock: { beside } }: Step): (TableReference & { readonly schema: string }) | null {
  const { schema = null, table = '' } = beside ?? {};
  return schema === null ? null : { schema, table };
}
