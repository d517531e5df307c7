import type { DesiredConstraint, DesiredTable } from '../desired-state/model.js';
import type { ConstraintShape, ForeignKeyShape, KeyConstraintShape, TableShape } from '../shape/table-shape.js';
import {
  addConstraint,
  addConstraintUsingIndex,
  dropConstraint,
  renameConstraint,
  validateConstraint,
} from '../sql/ddl/constraint.js';
import { createIndex } from '../sql/ddl/index.js';
import { name, type SqlTemplate } from '../sql/template.js';
import { type Change, change, key, type Step } from './change.js';
import type { DiffContext } from './context.js';
import { expressionQuestion } from './index-difference.js';
import { temporaryName } from './temporary-name.js';

type KeyConstraint = DesiredConstraint & KeyConstraintShape;

/**
 * Every change that a table's declared constraints need. `replaced` columns take the constraints over them along.
 * Constraints that nothing declares are left alone, but for the checks of an interrupted run.
 */
export function diffConstraints(
  desired: DesiredTable,
  actual: TableShape,
  replaced: ReadonlySet<string>,
  context: DiffContext,
): readonly Change[] {
  const declared = new Set(desired.constraints.map((constraint) => constraint.name));
  const byName = new Map(actual.constraints.map((constraint) => [constraint.name, constraint]));
  const spare = new Map([...byName].filter(([constraint]) => !declared.has(constraint)));
  const changes: Change[] = [];
  for (const constraint of desired.constraints) {
    const made = diffConstraint(
      desired.name,
      constraint,
      byName.get(constraint.name) ?? null,
      spare,
      actual,
      replaced,
      context,
    );
    if (made !== null) changes.push(made);
  }
  for (const constraint of spare.values()) {
    if (/^trueup_[0-9a-f]{16}$/u.test(constraint.name))
      changes.push(
        change({
          phase: desired.phase,
          action: 'replace-constraint',
          table: desired.name,
          object: constraint.name,
          reason: 'leftover of an interrupted run',
          provides: [key.cleared(desired.name)],
          steps: [exclusively(desired.name, dropConstraint(desired.name, constraint.name))],
        }),
      );
  }
  return changes;
}

/** What a constraint makes and what it waits for: also for those that CREATE TABLE makes. */
export function constraintFacets(table: string, constraint: DesiredConstraint) {
  const columns = 'columns' in constraint ? constraint.columns : [];
  const provides =
    constraint.kind === 'primary-key' || constraint.kind === 'unique' ? [key.unique(table, constraint.columns)] : [];
  const needs = [
    key.table(table),
    key.cleared(table),
    ...columns.map((column) => key.column(table, column)),
    ...(constraint.kind === 'primary-key' ? columns.map((column) => key.notNull(table, column)) : []),
    ...(constraint.kind === 'foreign-key'
      ? [
          key.table(constraint.references),
          key.unique(constraint.references, constraint.referencedColumns),
          ...constraint.referencedColumns.map((column) => key.column(constraint.references, column)),
        ]
      : []),
  ];
  return { provides, needs };
}

function diffConstraint(
  table: string,
  wanted: DesiredConstraint,
  existing: ConstraintShape | null,
  spare: Map<string, ConstraintShape>,
  actual: TableShape,
  replaced: ReadonlySet<string>,
  context: DiffContext,
): Change | null {
  const base = { phase: wanted.phase, table, object: wanted.name, ...constraintFacets(table, wanted) };
  const gone = existing !== null && 'columns' in existing && existing.columns.some((column) => replaced.has(column));
  if (existing === null || gone) {
    const twin = gone
      ? undefined
      : [...spare.values()].find((other) => constraintDifference(wanted, other, actual, context) === null);
    if (twin !== undefined) {
      spare.delete(twin.name);
      const steps = [exclusively(table, renameConstraint(table, twin.name, wanted.name))];
      return change({
        ...base,
        action: 'rename-constraint',
        reason: `its definition stands under the name "${twin.name}"`,
        steps,
      });
    }
    return addition(base, wanted, context);
  }
  const difference = constraintDifference(wanted, existing, actual, context);
  if (difference !== null) return replacement(base, wanted, existing, difference, context);
  if (!existing.validated && wanted.validated)
    return change({
      ...base,
      action: 'validate-constraint',
      reason: 'is NOT VALID: existing rows were never checked',
      hazards: ['TABLE_SCAN'],
      steps: [validation(table, wanted.name)],
    });
  return null;
}

type Base = Pick<Change, 'phase' | 'table' | 'object' | 'provides' | 'needs'>;

function addition(base: Base, wanted: DesiredConstraint, context: DiffContext): Change {
  const { table } = base;
  const reason = 'missing';
  if (context.facts.rows(table) === 'none')
    return change({
      ...base,
      action: 'add-constraint',
      reason,
      assumptions: [{ kind: 'no-rows', table }],
      steps: [added(table, wanted, addConstraint(table, wanted))],
    });
  if (wanted.kind === 'primary-key' || wanted.kind === 'unique') {
    const index = temporaryName(
      'new',
      wanted.name,
      JSON.stringify([wanted.columns, wanted.include, wanted.nullsNotDistinct]),
    );
    return change({
      ...base,
      action: 'add-constraint',
      reason,
      hazards: ['INDEX_BUILD'],
      steps: [uniqueBuild(table, wanted, index), exclusively(table, addConstraintUsingIndex(table, wanted, index))],
    });
  }
  return change({
    ...base,
    action: 'add-constraint',
    reason,
    hazards: ['TABLE_SCAN'],
    steps: [added(table, wanted, addConstraint(table, wanted, true)), validation(table, wanted.name)],
  });
}

function replacement(
  base: Base,
  wanted: DesiredConstraint,
  existing: ConstraintShape,
  reason: string,
  context: DiffContext,
): Change {
  const { table } = base;
  const away = exclusively(table, dropConstraint(table, existing.name));
  const empty = context.facts.rows(table) === 'none';
  const common = { ...base, action: 'replace-constraint' as const, reason };
  if (empty)
    return change({
      ...common,
      assumptions: [{ kind: 'no-rows', table }],
      steps: [away, added(table, wanted, addConstraint(table, wanted))],
    });
  if (wanted.kind === 'primary-key' || wanted.kind === 'unique') {
    const index = temporaryName(
      'new',
      wanted.name,
      JSON.stringify([wanted.columns, wanted.include, wanted.nullsNotDistinct]),
    );
    // The old key enforces until the new one is built: there is no moment without either.
    const steps = [
      uniqueBuild(table, wanted, index),
      away,
      exclusively(table, addConstraintUsingIndex(table, wanted, index)),
    ];
    return change({ ...common, hazards: ['INDEX_BUILD', 'INDEX_DROPPED'], steps });
  }
  return change({
    ...common,
    hazards: ['TABLE_SCAN'],
    steps: [away, added(table, wanted, addConstraint(table, wanted, true)), validation(table, wanted.name)],
  });
}

/** How a constraint differs from its declaration, in words, or null. Names and validation are not looked at. */
export function constraintDifference(
  wanted: DesiredConstraint,
  existing: ConstraintShape,
  actual: TableShape,
  context: DiffContext,
): string | null {
  if (wanted.kind !== existing.kind) return `is a ${existing.kind} constraint, declared ${wanted.kind}`;
  if (wanted.kind === 'check' && existing.kind === 'check') {
    if (wanted.noInherit !== existing.noInherit) return 'NO INHERIT differs';
    return context.facts.same(expressionQuestion(actual, wanted.expression, existing.expression, null))
      ? null
      : `is CHECK (${existing.expression}), declared CHECK (${wanted.expression})`;
  }
  if (wanted.kind === 'foreign-key' && existing.kind === 'foreign-key') {
    const [is, declared] = [describeForeignKey(existing), describeForeignKey(wanted)];
    return is === declared ? null : `is ${is}, declared ${declared}`;
  }
  if ('include' in wanted && 'include' in existing) {
    const [is, declared] = [describeKey(existing), describeKey(wanted)];
    if (is !== declared) return `is over ${is}, declared ${declared}`;
    return existing.indexValid ? null : 'its index is INVALID';
  }
  return null;
}

function describeForeignKey(of: ForeignKeyShape): string {
  const options = [
    `on update ${of.onUpdate}`,
    `on delete ${of.onDelete}`,
    `match ${of.match}`,
    describeDeferrable(of.deferrable),
  ];
  return `(${of.columns.join(', ')}) references ${of.references} (${of.referencedColumns.join(', ')}) ${options.join(' ')}`;
}

function describeKey(of: KeyConstraintShape): string {
  const include = of.include.length > 0 ? ` include (${of.include.join(', ')})` : '';
  return `(${of.columns.join(', ')})${include}${of.nullsNotDistinct ? ' nulls not distinct' : ''} ${describeDeferrable(of.deferrable)}`;
}

const describeDeferrable = (deferrable: string): string =>
  deferrable === 'no' ? 'not deferrable' : `initially ${deferrable}`;

function uniqueBuild(table: string, wanted: KeyConstraint, index: string): Step {
  const keys = wanted.columns.map((column) => ({
    column,
    expression: null,
    opclass: null,
    opclassOptions: {},
    collation: null,
    order: 'asc' as const,
    nulls: 'last' as const,
  }));
  const definition = {
    table,
    method: 'btree',
    unique: true,
    nullsNotDistinct: wanted.nullsNotDistinct,
    keys,
    include: wanted.include,
    options: {},
    where: null,
  };
  return {
    sql: createIndex(definition, name(index), true),
    mode: 'online',
    lock: { mode: 'SHARE UPDATE EXCLUSIVE', table },
    builds: { table, index },
  };
}

/** A foreign key locks both of its tables against writers, for a moment. */
function added(table: string, wanted: DesiredConstraint, template: SqlTemplate): Step {
  return wanted.kind === 'foreign-key'
    ? { sql: template, mode: 'transaction', lock: { mode: 'SHARE ROW EXCLUSIVE', table } }
    : exclusively(table, template);
}

const validation = (table: string, constraint: string): Step => ({
  sql: validateConstraint(table, constraint),
  mode: 'online',
  lock: { mode: 'SHARE UPDATE EXCLUSIVE', table },
});

const exclusively = (table: string, template: SqlTemplate): Step => ({
  sql: template,
  mode: 'transaction',
  lock: { mode: 'ACCESS EXCLUSIVE', table },
});
