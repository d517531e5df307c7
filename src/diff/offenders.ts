import type { DesiredConstraint } from '../desired-state/model.js';
import { referenceName } from '../shape/table-reference.js';
import {
  type CountedKey,
  countDuplicates,
  countNulls,
  countOrphans,
  countViolations,
  quotedList,
} from '../sql/ddl/offenders.js';
import type { Offenders } from './step.js';

/** Rows that stand against NOT NULL. */
export const nulls = (table: string, column: string): Offenders => ({
  count: countNulls(table, column),
  one: `row has no value in "${column}"`,
  many: `rows have no value in "${column}"`,
});

/** Rows that stand against a unique index or key. */
export function duplicates(key: CountedKey): Offenders {
  const columns = key.keys.flatMap(({ column }) => column ?? []);
  const of = columns.length === key.keys.length ? `(${quotedList(columns)})` : 'the key';
  return {
    count: countDuplicates(key),
    one: `group of rows has the same value of ${of}`,
    many: `groups of rows have the same value of ${of}`,
  };
}

/** Rows that stand against a constraint that is validated; null for a key, whose index build finds them. */
export function violations(table: string, wanted: DesiredConstraint): Offenders | null {
  if (wanted.kind === 'check')
    return {
      count: countViolations(table, wanted.expression),
      one: `row fails the check "${wanted.name}"`,
      many: `rows fail the check "${wanted.name}"`,
    };
  if (wanted.kind === 'foreign-key')
    return {
      count: countOrphans(table, wanted),
      reads: wanted.references.schema,
      one: `row of (${quotedList(wanted.columns)}) names nothing in "${referenceName(wanted.references)}"`,
      many: `rows of (${quotedList(wanted.columns)}) name nothing in "${referenceName(wanted.references)}"`,
    };
  return null;
}
