import type { DdlTemplate } from '../sql/ddl/table.js';
import type { Step } from './change.js';

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
