import type { DesiredConstraint, DesiredTable } from '../desired-state/model.js';
import type {
  ConstraintShape,
  ForeignKeyShape,
  IndexShape,
  KeyConstraintShape,
  TableShape,
} from '../shape/table-shape.js';
import {
  addConstraint,
  addConstraintUsingIndex,
  dropConstraint,
  renameConstraint,
  validateConstraint,
} from '../sql/ddl/constraint.js';
import { createIndex } from '../sql/ddl/index.js';
import { name, type SqlTemplate } from '../sql/template.js';
import { blocked, type Change, change, key, type Step } from './change.js';
import type { DiffContext } from './context.js';
import { expressionQuestion } from './index-difference.js';
import { drop } from './index-steps.js';
import { usesReplaced } from './table-indexes.js';
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
export function constraintFacets(table: string, constraint: DesiredConstraint, context: Pick<DiffContext, 'facts'>) {
  const columns = constrainedColumns(constraint, context);
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
  const base = { phase: wanted.phase, table, object: wanted.name, ...constraintFacets(table, wanted, context) };
  const gone =
    existing !== null &&
    replaced.size > 0 &&
    constrainedColumns(existing, context).some((column) => replaced.has(column));
  if (existing === null || gone) {
    const twin = gone
      ? undefined
      : [...spare.values()].find((other) => constraintDifference(wanted, other, actual, context) === null);
    if (twin !== undefined) {
      spare.delete(twin.name);
      const unchecked = wanted.validated && !twin.validated;
      const steps = [
        exclusively(table, renameConstraint(table, twin.name, wanted.name)),
        ...(unchecked ? [validation(table, wanted.name)] : []),
      ];
      return change({
        ...base,
        action: 'rename-constraint',
        reason: `its definition stands under the name "${twin.name}"${unchecked ? ', NOT VALID' : ''}`,
        hazards: unchecked ? ['TABLE_SCAN'] : [],
        steps,
      });
    }
    const squatter =
      wanted.kind === 'primary-key' || wanted.kind === 'unique'
        ? actual.indexes.find((index) => index.name === wanted.name && !usesReplaced(index, replaced, context))
        : undefined;
    if (squatter !== undefined) return claim(base, wanted as KeyConstraint, squatter, context);
    // A table has one primary key, whatever its name.
    const rival = wanted.kind === 'primary-key' ? primaryKeyOf(actual) : undefined;
    if (rival !== undefined && !gone) {
      spare.delete(rival.name);
      const difference = constraintDifference(wanted, rival, actual, context) ?? 'has another name';
      return replacement(base, wanted, rival, `"${rival.name}" ${difference}`, actual, context);
    }
    return addition(base, wanted, context);
  }
  const difference = constraintDifference(wanted, existing, actual, context);
  if (difference !== null) return replacement(base, wanted, existing, difference, actual, context);
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

/** Every column that a constraint is about: a check goes with any of its columns, like a key. */
function constrainedColumns(of: ConstraintShape, context: Pick<DiffContext, 'facts'>): readonly string[] {
  if (of.kind === 'check') return context.facts.columnsOf(of.expression);
  if (of.kind === 'other') return [];
  return 'include' in of ? [...of.columns, ...of.include] : of.columns;
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
    const index = keyIndexName(wanted);
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
    steps: [
      added(table, wanted, addConstraint(table, wanted, true)),
      { ...validation(table, wanted.name), undo: [exclusively(table, dropConstraint(table, wanted.name))] },
    ],
  });
}

/**
 * A declared name claims its object: an index that stands under a key's name becomes the key's own when it is what the key
 * would build, and makes room for it when it is not.
 */
function claim(base: Base, wanted: KeyConstraint, index: IndexShape, context: DiffContext): Change {
  const { table } = base;
  const use = (from: string) => exclusively(table, addConstraintUsingIndex(table, wanted, from));
  if (index.valid && isIndexOf(wanted, index))
    return change({
      ...base,
      action: 'add-constraint',
      reason: 'its index is there, without the constraint',
      steps: [use(index.name)],
    });
  const temporary = keyIndexName(wanted);
  return change({
    ...base,
    action: 'replace-constraint',
    reason: 'an index that is not the constraint’s stands under its name',
    hazards: context.facts.rows(table) === 'none' ? ['INDEX_DROPPED'] : ['INDEX_BUILD', 'INDEX_DROPPED'],
    steps: [uniqueBuild(table, wanted, temporary), drop({ table }, name(index.name)), use(temporary)],
  });
}

/** Whether ADD CONSTRAINT … USING INDEX takes the index for this key (rules of its manual page), and gives this key. */
function isIndexOf(wanted: KeyConstraint, index: IndexShape): boolean {
  const plain = index.keys.every(
    (item) =>
      item.opclass === null &&
      item.collation === null &&
      Object.keys(item.opclassOptions).length === 0 &&
      item.order === 'asc' &&
      item.nulls === 'last',
  );
  return (
    plain &&
    index.unique &&
    index.method.name === 'btree' &&
    index.where === null &&
    index.nullsNotDistinct === wanted.nullsNotDistinct &&
    JSON.stringify(index.keys.map((item) => item.column)) === JSON.stringify(wanted.columns) &&
    JSON.stringify(index.include) === JSON.stringify(wanted.include)
  );
}

/** The name of a key's index while it is built. */
const keyIndexName = (wanted: KeyConstraint): string =>
  temporaryName('new', wanted.name, JSON.stringify([wanted.columns, wanted.include, wanted.nullsNotDistinct]));

function replacement(
  base: Base,
  wanted: DesiredConstraint,
  existing: ConstraintShape,
  reason: string,
  actual: TableShape,
  context: DiffContext,
): Change {
  const { table } = base;
  const away = exclusively(table, dropConstraint(table, existing.name));
  const empty = context.facts.rows(table) === 'none';
  const common = { ...base, action: 'replace-constraint' as const, reason };
  const resting = restingOn(existing, actual, context);
  if (resting.length > 0)
    return blocked(
      change({ ...common, steps: [away, added(table, wanted, addConstraint(table, wanted))] }),
      `${resting.join(', ')} rest${resting.length === 1 ? 's' : ''} on it, and PostgreSQL refuses to drop a key under a foreign key`,
      'drop the foreign keys that rest on it, then apply: it makes the declared ones again',
    );
  if (empty)
    return change({
      ...common,
      assumptions: [{ kind: 'no-rows', table }],
      steps: [away, added(table, wanted, addConstraint(table, wanted))],
    });
  if (wanted.kind === 'primary-key' || wanted.kind === 'unique') {
    const index = keyIndexName(wanted);
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
    steps: successionSteps(table, wanted, existing),
  });
}

/** The old constraint enforces, under another name, until existing rows are known to satisfy the new one. */
function successionSteps(table: string, wanted: DesiredConstraint, existing: ConstraintShape): readonly Step[] {
  const old = temporaryName('old', `${table}.${wanted.name}`);
  return [
    exclusively(table, renameConstraint(table, existing.name, old)),
    added(table, wanted, addConstraint(table, wanted, true)),
    {
      ...validation(table, wanted.name),
      undo: [
        exclusively(table, dropConstraint(table, wanted.name)),
        exclusively(table, renameConstraint(table, old, existing.name)),
      ],
    },
    exclusively(table, dropConstraint(table, old)),
  ];
}

const primaryKeyOf = (actual: TableShape): ConstraintShape | undefined =>
  actual.constraints.find((constraint) => constraint.kind === 'primary-key');

/** Foreign keys of the tenant's declared tables that no other key of this table could serve. */
function restingOn(existing: ConstraintShape, actual: TableShape, context: DiffContext): readonly string[] {
  if (!('include' in existing)) return [];
  const over = (columns: readonly string[]) => JSON.stringify([...columns].sort());
  const columns = over(existing.columns);
  const others = actual.constraints.some(
    (other) => other.name !== existing.name && 'include' in other && over(other.columns) === columns,
  );
  if (others) return [];
  return [...context.actualTables.values()].flatMap((table) =>
    table.constraints.flatMap((other) =>
      other.kind === 'foreign-key' && other.references === actual.name && over(other.referencedColumns) === columns
        ? [`foreign key ${other.name} of table ${table.name}`]
        : [],
    ),
  );
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
