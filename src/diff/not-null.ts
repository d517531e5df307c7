import type { DesiredTable } from '../desired-state/model.js';
import { type ConstraintShape, isKey, type TableShape } from '../shape/table-shape.js';
import { alterColumn } from '../sql/ddl/column.js';
import { addConstraint, dropConstraint, validateConstraint } from '../sql/ddl/constraint.js';
import { quoteIdentifier } from '../sql/quote.js';
import { name } from '../sql/template.js';
import { temporaryName } from '../sql/temporary-name.js';
import { alteredColumn } from './altered-column.js';
import { blocked, type Change, key } from './change.js';
import type { ExistingColumn } from './existing-column.js';
import { primaryKeyOf } from './key-constraints.js';
import { nulls } from './offenders.js';
import { concurrently, exclusively, type Step } from './step.js';

/** NOT NULL wanted or not wanted, where the column has it otherwise. */
export function notNullChange({ desired, wanted, existing, actual, context }: ExistingColumn): Change | null {
  const table = desired.name;
  if (wanted.notNull ? existing.notNull : !existing.notNull && existing.notNullAhead !== true) return null;
  const base = {
    reason: wanted.notNull ? 'is nullable, declared NOT NULL' : 'is NOT NULL, declared nullable',
    needs: [key.table(table), key.cleared(table)],
    provides: wanted.notNull ? [key.notNull(table, wanted.name)] : [],
  };
  if (!wanted.notNull) {
    const steps = [exclusively(table, alterColumn(table, wanted.name, 'DROP NOT NULL'))];
    return nullable(alteredColumn(table, wanted, { ...base, steps }), desired, actual);
  }
  if (context.facts.rows(table) === 'none')
    return alteredColumn(table, wanted, {
      ...base,
      steps: [exclusively(table, alterColumn(table, wanted.name, 'SET NOT NULL'))],
      assumptions: [{ kind: 'no-rows', table }],
    });
  return alteredColumn(table, wanted, { ...base, hazards: ['TABLE_SCAN'], steps: notNullSteps(table, wanted.name) });
}

/** PostgreSQL makes no column nullable that a primary key or the replica identity is over: a key that goes, goes first. */
function nullable(made: Change, desired: DesiredTable, actual: TableShape): Change {
  const { table, object: column } = made;
  const identity = [
    ...actual.constraints.filter((one) => isKey(one) && one.replicaIdentity && one.columns.includes(column)),
    ...actual.indexes.filter((one) => one.replicaIdentity && one.keys.some((item) => item.column === column)),
  ][0];
  if (identity !== undefined)
    return blocked(
      made,
      `${identity.name} is the replica identity of the table, which PostgreSQL takes no nullable column for`,
      `ALTER TABLE ${quoteIdentifier(table)} REPLICA IDENTITY FULL, then apply`,
    );
  const primary = primaryKeyOf(actual);
  if (primary === undefined || !primary.columns.includes(column)) return made;
  const successor = desired.constraints.find((one) => one.kind === 'primary-key');
  if (successor?.kind === 'primary-key')
    return { ...made, needs: [...made.needs, key.unique(table, successor.columns)] };
  if (desired.constraints.some((one) => one.name === primary.name))
    return { ...made, needs: [...made.needs, key.noPrimaryKey(table)] };
  return blocked(
    made,
    `primary key ${primary.name}, which nothing declares, is over the column`,
    'drop that key, then apply, or declare it',
  );
}

/**
 * SET NOT NULL on a table that holds rows: through a check that is validated first, without a strong lock. SET NOT NULL
 * then believes the check and does not read the table (PostgreSQL 12 and later; the grammar of 18's NOT NULL … NOT VALID
 * is not needed for it).
 */
export function notNullSteps(table: string, column: string): readonly Step[] {
  const check = temporaryName('check', `${table}.${column}`);
  const expression = `${name(column)} IS NOT NULL`;
  const given: ConstraintShape = { name: check, kind: 'check', validated: false, expression, noInherit: false };
  return [
    exclusively(table, addConstraint(table, given, true)),
    {
      ...concurrently(table, validateConstraint(table, check)),
      undo: [exclusively(table, dropConstraint(table, check))],
      offenders: nulls(table, column),
    },
    exclusively(table, alterColumn(table, column, 'SET NOT NULL')),
    exclusively(table, dropConstraint(table, check)),
  ];
}
