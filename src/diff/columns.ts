import type { DesiredColumn, DesiredTable } from '../desired-state/model.js';
import type { ColumnShape, TableShape } from '../shape/table-shape.js';
import { addColumn, alterColumn, alterDefault } from '../sql/ddl/column.js';
import { serialSequence } from '../sql/serial.js';
import { alteredColumn } from './altered-column.js';
import { backfillSteps, unfilledLeftovers, unfilledName } from './backfill.js';
import { blocked, type Change, change, key } from './change.js';
import { pastBarriers, pastInvalid } from './column-barriers.js';
import { groupOf, replaceColumn } from './column-replacement.js';
import { asUser, beforeSources } from './computed-anew.js';
import type { DiffContext } from './context.js';
import type { ExistingColumn } from './existing-column.js';
import { computedFrom } from './generation.js';
import { identityChange } from './identity.js';
import { expressionQuestion } from './index-difference.js';
import { hasVaryingDefault, isComputed, isValueless, lacksValue, withoutValue } from './new-values.js';
import { notNullChange } from './not-null.js';
import { exclusively, type Step } from './step.js';
import { fillType, typeParameterValue, typeVariables } from './type-parameters.js';

/** Every change that a table's declared columns need. Columns that nothing declares are left alone. */
export function diffColumns(desired: DesiredTable, actual: TableShape, context: DiffContext): readonly Change[] {
  const changes: Change[] = [];
  const goesOn = new Set<string>();
  const compared = comparedColumns(desired, actual, context);
  const anew = computedAnew(compared);
  for (const column of desired.columns) {
    const there = compared.get(column.name);
    if (there === undefined) {
      const wanted = withTenantsOwnType(column, undefined, context);
      const unfilled = unfilledName(desired.name, wanted);
      const begun = actual.columns.some(({ name }) => name === unfilled);
      if (begun) goesOn.add(unfilled);
      changes.push(addColumnChange(desired.name, wanted, begun, context));
      continue;
    }
    const { of, difference } = there;
    if (difference !== null) {
      const made = replaceColumn(of, difference, anew.map(asUser));
      changes.push(made);
      if (made.action === 'replace-column' || made.status !== 'pending') continue;
    }
    // Not before its type, which may wait for other tables': a default of the new one would not fit.
    const typed = key.column(desired.name, column.name);
    for (const made of propertyChanges(of)) changes.push({ ...made, needs: [...made.needs, typed] });
  }
  const able = changes.map((made) => pastInvalid(pastBarriers(made, desired, context), desired, actual, context));
  return [...beforeSources(able, desired.name, anew, context), ...unfilledLeftovers(desired.phase, actual, goesOn)];
}

/** A declared column that is there, and how it differs in what only a replacement changes, in words. */
interface ComparedColumn {
  readonly of: ExistingColumn;
  readonly difference: string | null;
}

function comparedColumns(
  desired: DesiredTable,
  actual: TableShape,
  context: DiffContext,
): ReadonlyMap<string, ComparedColumn> {
  const declared = new Map(desired.columns.map((column) => [column.name, column]));
  return new Map(
    actual.columns.flatMap((existing) => {
      const column = declared.get(existing.name);
      if (column === undefined) return [];
      const wanted = withTenantsOwnType(column, existing, context);
      const of: ExistingColumn = { desired, wanted, existing, actual, context };
      return [[existing.name, { of, difference: structuralDifference(of) }] as const];
    }),
  );
}

/** Generated columns that are dropped and added, by themselves and with nothing lost: in a table without rows. */
function computedAnew(compared: ReadonlyMap<string, ComparedColumn>): readonly string[] {
  const found = [...compared.values()].filter(
    ({ of, difference }) => difference !== null && of.existing.generated !== null && groupOf(of) === null,
  );
  const [any] = found;
  if (any?.of.context.facts.rows(any.of.desired.name) !== 'none') return [];
  return found.map(({ of }) => of.existing.name);
}

/** The changes for which the content does not matter: default, identity, NOT NULL. */
function propertyChanges(of: ExistingColumn): readonly Change[] {
  const { wanted, existing, context } = of;
  const table = of.desired.name;
  if (wanted.serial === true && existing.identity !== null) return [serialForIdentity(table, wanted)];
  const changes = [
    dropExpressionChange(table, wanted, existing),
    identityChange(table, wanted, existing, context),
    wanted.identity === null ? defaultChange(table, wanted, existing, context) : null,
    notNullChange(of),
  ].filter((made) => made !== null);
  // A generated column takes no default, and an identity is NOT NULL: where that stays, the others would fail.
  const plain = key.plain(table, wanted.name);
  return changes.map((made) => (made.provides.includes(plain) ? made : { ...made, needs: [...made.needs, plain] }));
}

/** Refused: DROP IDENTITY takes the sequence along, often the one of the serial's own name, and the default has none. */
function serialForIdentity(table: string, wanted: DesiredColumn): Change {
  return blocked(
    alteredColumn(table, wanted, { reason: 'is an identity column, declared serial', steps: [] }),
    'its sequence goes with the identity, and a serial would have none to draw from',
    'declare identity instead of serial, or change the column in the application’s own migration',
  );
}

/**
 * A parameter that only a default gave fills what is created and changes nothing that exists: the column keeps its own
 * width, and a new one takes the width that its tenant's other columns have.
 */
export function withTenantsOwnType(
  column: DesiredColumn,
  existing: ColumnShape | undefined,
  context: DiffContext,
): DesiredColumn {
  const [parameter, ...others] = typeVariables(column.typeTemplate);
  if (parameter === undefined || others.length > 0 || context.parameters[parameter]?.forNewOnly !== true) return column;
  const value =
    existing === undefined
      ? tenantsOwnValue(parameter, context)
      : typeParameterValue(column.typeTemplate, parameter, existing.type, context.facts);
  return value === null ? column : { ...column, type: fillType(column.typeTemplate, value) };
}

/** The value that the tenant's existing columns have for a parameter of their types; the first declared one decides. */
function tenantsOwnValue(parameter: string, context: DiffContext): string | null {
  for (const table of context.tables)
    for (const column of table.columns) {
      if (!typeVariables(column.typeTemplate).includes(parameter)) continue;
      const existing = context.actualTables
        .get(table.name)
        ?.columns.find((candidate) => candidate.name === column.name);
      const value = existing && typeParameterValue(column.typeTemplate, parameter, existing.type, context.facts);
      if (value != null) return value;
    }
  return null;
}

/** How the type, the collation or the generation expression differs, in words; null when they do not. */
function structuralDifference({ wanted, existing, actual, context }: ExistingColumn): string | null {
  // Both, where both differ: a wider varchar alone would be altered in place, and nobody would see why it is not.
  const plain = [
    ...(context.facts.sameType(wanted.type, existing.type)
      ? []
      : [`type is ${existing.type}, declared ${wanted.type}`]),
    ...((wanted.collation ?? '') === (existing.collation ?? '')
      ? []
      : [`collation is ${existing.collation ?? 'the default'}, declared ${wanted.collation ?? 'the default'}`]),
  ];
  if (plain.length > 0) return plain.join('; ');
  if (wanted.generated === null)
    return existing.generated?.kind === 'virtual' ? 'is a virtual generated column, declared plain' : null;
  if (existing.generated === null)
    return `is a plain column, declared GENERATED ALWAYS AS (${wanted.generated.expression})`;
  if (existing.generated.kind !== 'stored') return 'is a virtual generated column, declared stored';
  const question = expressionQuestion(
    actual,
    wanted.generated.expression,
    existing.generated.expression,
    castType(wanted.type),
  );
  return context.facts.same(question)
    ? null
    : `is generated as ${existing.generated.expression}, declared ${wanted.generated.expression}`;
}

function addColumnChange(table: string, column: DesiredColumn, begun: boolean, context: DiffContext): Change {
  const base = {
    phase: column.phase,
    action: 'add-column' as const,
    table,
    object: column.name,
    reason: 'missing',
    finds: column.finds ?? [],
    provides: [key.column(table, column.name)],
    needs: [key.table(table), ...computedFrom(table, column, context)],
  };
  const needsCheck = [...base.needs, key.cleared(table)];
  if (begun)
    return change({
      ...base,
      needs: needsCheck,
      reason: 'missing; an interrupted run has begun to fill it, under a temporary name',
      hazards: ['BACKFILL'],
      steps: backfillSteps(table, column, true),
    });
  const whole: Step = {
    sql: addColumn(table, column),
    mode: 'transaction',
    lock: { mode: 'ACCESS EXCLUSIVE', table, only: true },
  };
  if (context.facts.rows(table) === 'none')
    return change({ ...base, steps: [whole], assumptions: [{ kind: 'no-rows', table }] });
  const checks = context.facts.domainChecks(column.type);
  const missing =
    column.default === null && column.filledBy === 'application' ? (['VALUES_MISSING'] as const) : ([] as const);
  if (isValueless(column) || lacksValue(column, checks)) return withoutValue(change({ ...base, steps: [whole] }));
  // A domain's checks look at the new column of every row: nothing is won by filling it afterwards.
  if (isComputed(column) || checks.any)
    return change({ ...base, steps: [exclusively(table, whole.sql)], hazards: ['TABLE_REWRITE', ...missing] });
  if (hasVaryingDefault(column))
    return change({ ...base, needs: needsCheck, hazards: ['BACKFILL'], steps: backfillSteps(table, column, false) });
  return change({ ...base, steps: [whole], hazards: missing });
}

function defaultChange(
  table: string,
  wanted: DesiredColumn,
  existing: ColumnShape,
  context: DiffContext,
): Change | null {
  // Of an identity or generated column none is known; what drops that comes before this.
  if (orNone(wanted.default) === orNone(existing.default)) return null;
  if (wanted.default !== null && existing.default !== null) {
    // Of no table: a default names no column, so that all tables' are asked about together.
    const asked = { desired: wanted.default, actual: existing.default, castTo: castType(wanted.type) };
    if (context.facts.same({ kind: 'expression', columns: [], ...asked })) return null;
  }
  return alteredColumn(table, wanted, {
    reason: `default is ${existing.default ?? 'none'}, declared ${wanted.default ?? 'none'}`,
    ...(wanted.serial === true ? { draws: serialSequence(table, wanted.name) } : {}),
    finds: wanted.finds ?? [],
    steps: [exclusively(table, alterDefault(table, wanted.name, wanted.default))],
  });
}

/** DEFAULT NULL is no default; PostgreSQL keeps it only where a length is to be applied: `NULL::character varying`. */
const orNone = (expression: string | null): string | null =>
  expression !== null && /^\s*NULL\s*(?:::[\w\s"(),.[\]]+)?$/iu.test(expression) ? null : expression;

/** A stored generated column becomes plain and keeps its content. */
function dropExpressionChange(table: string, wanted: DesiredColumn, existing: ColumnShape): Change | null {
  if (wanted.generated !== null || existing.generated?.kind !== 'stored') return null;
  return alteredColumn(table, wanted, {
    reason: 'is a generated column, declared plain; its content stays',
    provides: [key.plain(table, wanted.name)],
    steps: [exclusively(table, alterColumn(table, wanted.name, 'DROP EXPRESSION'))],
  });
}

/** A type without its modifiers: the server compares defaults cast to the type alone. */
function castType(type: string): string {
  return type.replace(/\([\d,\s]*\)/gu, '').trim();
}
