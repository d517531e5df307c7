import type { DesiredColumn } from '../desired-state/model.js';
import type { ColumnShape } from '../shape/table-shape.js';
import { alterColumn, tableName } from '../sql/ddl/column.js';
import { dropConstraint, validateConstraint } from '../sql/ddl/constraint.js';
import { name, sql } from '../sql/template.js';
import { type Change, change, key, type Step } from './change.js';
import type { DiffContext } from './context.js';
import { withoutValue } from './offenders.js';
import { exclusively } from './step.js';
import { temporaryName } from './temporary-name.js';

/** NOT NULL wanted or not wanted, where the column has it otherwise. */
export function notNullChange(
  table: string,
  wanted: DesiredColumn,
  existing: ColumnShape,
  context: DiffContext,
): Change | null {
  if (wanted.notNull === existing.notNull) return null;
  const base = {
    phase: wanted.phase,
    action: 'alter-column' as const,
    table,
    object: wanted.name,
    reason: wanted.notNull ? 'is nullable, declared NOT NULL' : 'is NOT NULL, declared nullable',
    needs: [key.table(table), key.cleared(table)],
    provides: wanted.notNull ? [key.notNull(table, wanted.name)] : [],
  };
  if (!wanted.notNull)
    return change({ ...base, steps: [exclusively(table, alterColumn(table, wanted.name, 'DROP NOT NULL'))] });
  if (context.facts.rows(table) === 'none')
    return change({
      ...base,
      steps: [exclusively(table, alterColumn(table, wanted.name, 'SET NOT NULL'))],
      assumptions: [{ kind: 'no-rows', table }],
    });
  return change({ ...base, hazards: ['TABLE_SCAN'], steps: notNullSteps(table, wanted.name) });
}

/**
 * SET NOT NULL on a table that holds rows: through a check that is validated first, without a strong lock. SET NOT NULL
 * then believes the check and does not read the table (PostgreSQL 12 and later; the grammar of 18's NOT NULL … NOT VALID
 * is not needed for it).
 */
export function notNullSteps(table: string, column: string): readonly Step[] {
  const check = temporaryName('check', `${table}.${column}`);
  const add = sql`ALTER TABLE ${tableName(table)} ADD CONSTRAINT ${name(check)} CHECK (${name(column)} IS NOT NULL) NOT VALID`;
  return [
    exclusively(table, add),
    {
      sql: validateConstraint(table, check),
      mode: 'online',
      lock: { mode: 'SHARE UPDATE EXCLUSIVE', table },
      undo: [exclusively(table, dropConstraint(table, check))],
      offenders: withoutValue(table, column),
    },
    exclusively(table, alterColumn(table, column, 'SET NOT NULL')),
    exclusively(table, dropConstraint(table, check)),
  ];
}
