import type { DesiredColumn } from '../desired-state/model.js';
import type { ColumnShape, IdentityShape } from '../shape/table-shape.js';
import { alterColumn, alterDefault, alterIdentity, identityClause } from '../sql/ddl/column.js';
import { tableName } from '../sql/ddl/table.js';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.js';
import { name, sql } from '../sql/template.js';
import { alteredColumn } from './altered-column.js';
import { blocked, type Change, key } from './change.js';
import type { DiffContext } from './context.js';
import { notNullSteps } from './not-null.js';
import { exclusively, type Step } from './step.js';

/** GENERATED … AS IDENTITY missing, not wanted, or with other options. */
export function identityChange(
  table: string,
  wanted: DesiredColumn,
  existing: ColumnShape,
  context: DiffContext,
): Change | null {
  const needs = [key.table(table), key.cleared(table)];
  if (wanted.identity === null) {
    if (existing.identity === null) return null;
    const steps = [exclusively(table, alterIdentity(table, wanted.name, 'DROP IDENTITY'))];
    const provides = [key.plain(table, wanted.name)];
    const reason = 'is an identity column, declared without';
    const made = alteredColumn(table, wanted, { reason, needs, provides, steps });
    const drawing = context.facts.drawing(table, wanted.name);
    return drawing.length === 0
      ? made
      : blocked(
          made,
          `its sequence goes with it, which ${drawing.join(', ')} use${drawing.length === 1 ? 's' : ''}, and PostgreSQL refuses that`,
          'give that another sequence, or drop it, then apply',
        );
  }
  if (existing.identity === null) {
    const empty = context.facts.rows(table) === 'none';
    return alteredColumn(table, wanted, {
      needs,
      reason: `is no identity column, declared GENERATED ${wanted.identity.kind.toUpperCase()} AS IDENTITY`,
      steps: addIdentity(table, wanted, wanted.identity, existing, empty),
      assumptions: empty ? [{ kind: 'no-rows', table }] : [],
      hazards: empty ? [] : ['TABLE_SCAN'],
    });
  }
  const difference = identityDifference(wanted.identity, existing.identity);
  if (difference === null) return null;
  const made = alteredColumn(table, wanted, {
    needs,
    reason: difference,
    steps: [exclusively(table, alterIdentity(table, wanted.name, alteration(wanted.identity)))],
  });
  const narrow = narrowSequence(wanted.identity, existing.identity);
  // With the column's type PostgreSQL gives the sequence the new one too.
  if (narrow === null || !context.facts.sameType(wanted.type, existing.type)) return made;
  return blocked(
    made,
    `its sequence is AS ${narrow}, which does not hold the declared numbers`,
    `give it the column's type: ALTER SEQUENCE … AS ${existing.type}; then apply`,
  );
}

/** The sequence's own type, where it does not hold the declared numbers: ALTER TABLE, which alters the rest, cannot give another. */
function narrowSequence({ minimum, maximum }: IdentityShape, { sequenceType }: IdentityShape): string | null {
  const beyond = sequenceType === 'smallint' ? 2n ** 15n : sequenceType === 'integer' ? 2n ** 31n : null;
  if (beyond === null) return null;
  return BigInt(minimum) < -beyond || BigInt(maximum) >= beyond ? (sequenceType ?? null) : null;
}

/**
 * Over existing numbers the sequence must start beyond them, in the same transaction: a writer in between would be given
 * a number that is taken.
 */
function addIdentity(
  table: string,
  column: DesiredColumn,
  identity: IdentityShape,
  existing: ColumnShape,
  empty: boolean,
): readonly Step[] {
  const notNull = existing.notNull
    ? []
    : empty
      ? [exclusively(table, alterColumn(table, column.name, 'SET NOT NULL'))]
      : notNullSteps(table, column.name);
  const relation = sql`'${{ variable: 'schema', as: 'in-literal' }}.${quoteIdentifier(table).replaceAll("'", "''")}'`;
  // Numbers on this side of its start it does not come to: setval would refuse those below its minimum, such as a 0.
  const [aggregate, beyond] = identity.increment.startsWith('-') ? ['min', '<='] : ['max', '>='];
  // By the catalog's own word for an identity's sequence: of a column that was serial, pg_get_serial_sequence() names the
  // one of that time, and the identity would begin at its start, with numbers that are taken.
  const setval = sql`SELECT pg_catalog.setval(s.objid::regclass, taken.number) FROM (SELECT ${aggregate}(${name(column.name)}) AS number FROM ${tableName(table)}) taken, pg_catalog.pg_depend s JOIN pg_catalog.pg_attribute a ON a.attrelid = s.refobjid AND a.attnum = s.refobjsubid WHERE taken.number ${beyond} ${identity.start} AND s.classid = 'pg_catalog.pg_class'::regclass AND s.refclassid = 'pg_catalog.pg_class'::regclass AND s.refobjid = ${relation}::regclass AND s.deptype = 'i' AND a.attname = ${quoteLiteral(column.name)}`;
  return [
    ...notNull,
    // After NOT NULL, which existing rows may fail: without its default the application could not insert.
    ...(existing.default === null ? [] : [exclusively(table, alterDefault(table, column.name, null))]),
    exclusively(table, alterIdentity(table, column.name, sql`ADD ${identityClause(identity)}`)),
    ...(empty ? [] : [exclusively(table, setval)]),
  ];
}

function identityDifference(wanted: IdentityShape, existing: IdentityShape): string | null {
  if (wanted.kind !== existing.kind)
    return `is GENERATED ${existing.kind.toUpperCase()}, declared GENERATED ${wanted.kind.toUpperCase()}`;
  for (const option of ['start', 'increment', 'minimum', 'maximum', 'cache', 'cycle'] as const)
    if (wanted[option] !== existing[option])
      return `the sequence's ${option} is ${existing[option]}, declared ${wanted[option]}`;
  return null;
}

function alteration(identity: IdentityShape): string {
  return (
    `SET GENERATED ${identity.kind.toUpperCase()} SET START WITH ${identity.start} SET INCREMENT BY ${identity.increment} ` +
    `SET MINVALUE ${identity.minimum} SET MAXVALUE ${identity.maximum} SET CACHE ${identity.cache} SET ${identity.cycle ? 'CYCLE' : 'NO CYCLE'}`
  );
}
