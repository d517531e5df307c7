import type { SqlTemplate } from '../sql/template.js';
import type { Step } from './change.js';

/** A step in the transaction that keeps everybody else off its table. */
export const exclusively = (table: string, template: SqlTemplate): Step => ({
  sql: template,
  mode: 'transaction',
  lock: { mode: 'ACCESS EXCLUSIVE', table },
});
