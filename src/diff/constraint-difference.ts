import type { DesiredConstraint } from '../desired-state/model.js';
import { referenceName } from '../shape/table-reference.js';
import {
  type ConstraintShape,
  type ForeignKeyShape,
  isKey,
  type KeyConstraintShape,
  type TableShape,
} from '../shape/table-shape.js';
import type { DiffContext } from './context.js';
import { expressionQuestion } from './index-difference.js';
import { resolved } from './shared-references.js';

/** How a constraint differs from its declaration, in words, or null. Names and validation are not looked at. */
export function constraintDifference(
  wanted: DesiredConstraint,
  existing: ConstraintShape,
  actual: TableShape,
  context: DiffContext,
): string | null {
  if (wanted.kind !== existing.kind) return `is a ${existing.kind} constraint, declared ${wanted.kind}`;
  // Before the rest, which is alike: a NOT ENFORCED one would be validated, which PostgreSQL refuses in every run.
  if (existing.beyond !== undefined) return existing.beyond;
  if (wanted.kind === 'check' && existing.kind === 'check') {
    if (wanted.noInherit !== existing.noInherit) return 'NO INHERIT differs';
    return context.facts.same(expressionQuestion(actual, wanted.expression, existing.expression, null))
      ? null
      : `is CHECK (${existing.expression}), declared CHECK (${wanted.expression})`;
  }
  if (wanted.kind === 'foreign-key' && existing.kind === 'foreign-key') {
    const there = resolved(wanted.references, context);
    const [is, declared] = [describeForeignKey(existing), describeForeignKey({ ...wanted, references: there })];
    return is === declared && there.schema === existing.references.schema ? null : `is ${is}, declared ${declared}`;
  }
  if (isKey(wanted) && isKey(existing)) {
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
  return `(${of.columns.join(', ')}) references ${referenceName(of.references)} (${of.referencedColumns.join(', ')}) ${options.join(' ')}`;
}

function describeKey(of: KeyConstraintShape): string {
  const include = of.include.length > 0 ? ` include (${of.include.join(', ')})` : '';
  return `(${of.columns.join(', ')})${include}${of.nullsNotDistinct ? ' nulls not distinct' : ''} ${describeDeferrable(of.deferrable)}`;
}

const describeDeferrable = (deferrable: string): string =>
  deferrable === 'no' ? 'not deferrable' : `initially ${deferrable}`;
