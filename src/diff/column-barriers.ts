import { quoteIdentifier } from '../sql/quote.js';
import { alterations, blocked, type Change } from './change.js';
import type { DiffContext } from './context.js';

/**
 * A change of a column, refused where PostgreSQL would refuse it in every run: of a table that has its columns from a type, and of one
 * whose rows cannot be updated, where they are to be filled.
 */
export function pastBarriers(made: Change, { facts }: DiffContext): Change {
  const isOfColumns = alterations(made).some((altered) => 'column' in altered && OF_TYPE.has(altered.how));
  if (made.status !== 'pending' || !isOfColumns) return made;
  const { rowType, updateRules, publications } = facts.columnBarriers(made.table);
  const table = quoteIdentifier(made.table);
  if (rowType !== null)
    return blocked(
      made,
      `the table is one of type ${rowType}, and PostgreSQL changes its columns with that type alone`,
      `change the type with ALTER TYPE ${rowType} … CASCADE, or end that with ALTER TABLE ${table} NOT OF, then apply`,
    );
  if (made.steps.every((step) => step.mode !== 'backfill')) return made;
  const [rule] = updateRules;
  if (rule !== undefined)
    return blocked(
      made,
      `the rows that are there are filled by UPDATE, which rule ${rule} of the table rewrites`,
      `ALTER TABLE ${table} DISABLE RULE ${quoteIdentifier(rule)}, apply, then enable it again`,
    );
  const [publication] = publications;
  if (publication === undefined) return made;
  return blocked(
    made,
    `the rows that are there are filled by UPDATE, which publication ${publication} publishes, and the table has no replica identity`,
    `give it a primary key, or ALTER TABLE ${table} REPLICA IDENTITY FULL, then apply`,
  );
}

/** What PostgreSQL does to no table that is of a type. */
const OF_TYPE: ReadonlySet<string> = new Set(['ADD COLUMN', 'DROP COLUMN', 'RENAME COLUMN', 'TYPE']);
