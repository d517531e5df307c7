import type { DesiredTable } from '../desired-state/model.js';
import type { TableShape } from '../shape/table-shape.js';
import { quoteIdentifier } from '../sql/quote.js';
import { isTemporary } from '../sql/temporary-name.js';
import { alterations, blocked, type Change, key } from './change.js';
import type { DiffContext } from './context.js';
import type { Facts } from './facts.js';
import { usesReplaced } from './indexed-columns.js';

/**
 * A change of a column, refused where PostgreSQL would refuse it in every run: of a table that has its columns from a type, of one
 * whose rows are values elsewhere, and of one whose rows cannot be updated, where they are to be filled.
 */
export function pastBarriers(made: Change, desired: DesiredTable, { facts }: DiffContext): Change {
  const isOfColumns = alterations(made).some((altered) => 'column' in altered && OF_TYPE.has(altered.how));
  if (made.status !== 'pending' || !isOfColumns) return made;
  const { rowType, rowUses, rowsHidden, updateRules, publications } = facts.columnBarriers(made.table);
  const table = quoteIdentifier(made.table);
  if (rowType !== null)
    return blocked(
      made,
      `the table is one of type ${rowType}, and PostgreSQL changes its columns with that type alone`,
      `change the type with ALTER TYPE ${rowType} … CASCADE, or end that with ALTER TABLE ${table} NOT OF, then apply`,
    );
  const [use] = rowUses;
  if (use !== undefined && isUnderRowUses(made, desired, facts))
    return blocked(
      made,
      `${use} holds rows of the table as values: PostgreSQL changes no column under it and adds none that has a value, and a dropped one would be lost there too`,
      `drop ${use}, where it is of no use, apply, and make it again`,
    );
  if (made.steps.every((step) => step.mode !== 'backfill')) return made;
  if (rowsHidden)
    return blocked(
      made,
      'the rows that are there are filled by UPDATE, and row security hides some of them from the role, though it owns the table',
      'ALTER ROLE … BYPASSRLS, or run as a role that sees all rows',
    );
  const [rule] = updateRules;
  if (rule !== undefined)
    return blocked(
      made,
      `the rows that are there are filled by UPDATE, which rule ${rule} of the table rewrites`,
      `ALTER TABLE ${table} DISABLE RULE ${quoteIdentifier(rule)}, apply, then enable it again`,
    );
  const [unidentified] = publications;
  if (unidentified === undefined) return made;
  const { publication, unfit, heir } = unidentified;
  const told = `the rows that are there are filled by UPDATE, which publication ${publication} publishes, and`;
  if (unfit)
    return blocked(
      made,
      `${told} its WHERE or its list of columns does not go with the replica identity of ${heir === null ? 'the table' : `${heir}, which inherits from the table`}`,
      'let its WHERE name columns of the replica identity alone, and its list all of these, then apply',
    );
  return blocked(
    made,
    `${told} ${heir === null ? 'the table' : `${heir}, which inherits from the table,`} has no replica identity`,
    `give it a primary key, or ALTER TABLE ${heir ?? table} REPLICA IDENTITY FULL, then apply`,
  );
}

/**
 * A column for which PostgreSQL writes the table anew, refused where that builds an INVALID unique index that no file knows:
 * it became INVALID, more often than not, since the rows are not unique, and the rewrite would fail by it in every run. An
 * interrupted run's leftover goes first.
 */
export function pastInvalid(made: Change, desired: DesiredTable, actual: TableShape, context: DiffContext): Change {
  if (made.action === 'alter-column' || !made.hazards.includes('TABLE_REWRITE')) return made;
  const cleared = { ...made, needs: [...made.needs, key.cleared(made.table)] };
  const declared = new Set(desired.indexes.map(({ name }) => name));
  const stray = actual.indexes.find(
    (index) =>
      index.unique &&
      !index.valid &&
      !declared.has(index.name) &&
      !isTemporary(index.name) &&
      !usesReplaced(index, new Set([made.object]), context),
  );
  if (made.status !== 'pending' || stray === undefined) return cleared;
  return blocked(
    cleared,
    `the table is written anew, and unique index ${stray.name}, which is INVALID, would be built with it: where its rows are not unique that fails`,
    `drop index ${stray.name}, or mend the rows and build it anew with REINDEX INDEX CONCURRENTLY, then apply`,
  );
}

function isUnderRowUses(made: Change, { columns }: DesiredTable, facts: Facts): boolean {
  // A domain's checks look at each row, if only at a NULL.
  const isChecked = () => columns.some(({ name, type }) => name === made.object && facts.domainChecks(type).any);
  return alterations(made).some((altered) => {
    if (!('column' in altered)) return false;
    if (altered.how === 'ADD COLUMN') return altered.valued || isChecked();
    return altered.how === 'TYPE' || altered.how === 'DROP COLUMN';
  });
}

/** What PostgreSQL does to no table that is of a type. */
const OF_TYPE: ReadonlySet<string> = new Set(['ADD COLUMN', 'DROP COLUMN', 'RENAME COLUMN', 'TYPE']);
