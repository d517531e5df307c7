import type { DdlTemplate } from '../sql/ddl/table.js';
import type { Step } from './change.js';

/** A step in the transaction that keeps everybody else off its table. */
export const exclusively = (table: string, template: DdlTemplate): Step => ({
  sql: template,
  mode: 'transaction',
  lock: { mode: 'ACCESS EXCLUSIVE', table },
});
