import { counted } from '../counted.js';
import type { DesiredIndexBase, DesiredIndexKey } from '../desired-state/model.js';
import type { IndexKeyShape, IndexShape, TableShape } from '../shape/table-shape.js';
import { quoteIdentifier } from '../sql/quote.js';
import type { DiffContext } from './context.js';
import type { ExpressionQuestion } from './facts.js';
import { builtOptionDifference, optionDifferences } from './index-options.js';

/**
 * How an index differs from its declaration so that it has to be built anew, in words, or null. Names and predicates are not
 * looked at: a predicate may depend on rows (see {@link predicateDifference}). Nor is what it takes on as it stands (see
 * {@link settingsFor}).
 */
export function definitionDifference(
  desired: DesiredIndexBase,
  actual: IndexShape,
  table: TableShape,
  context: DiffContext,
): string | null {
  const method = describeMethod(desired.method);
  const actualMethod = describeMethod(actual.method);
  if (method !== actualMethod) return `access method is ${actualMethod}, declared ${method}`;
  if (desired.unique !== actual.unique)
    return actual.unique ? 'is unique, declared not' : 'is not unique, declared unique';
  if (desired.nullsNotDistinct !== actual.nullsNotDistinct) return 'NULLS NOT DISTINCT differs';
  if (desired.keys.length !== actual.keys.length)
    return `has ${counted(actual.keys.length, 'key')}, declared ${desired.keys.length}`;
  for (const [position, key] of desired.keys.entries()) {
    const actualKey = actual.keys[position];
    const difference =
      actualKey === undefined ? 'missing' : keyDifference(desired.method.name, key, actualKey, table, context);
    if (difference !== null) return desired.keys.length === 1 ? difference : `key ${position + 1}: ${difference}`;
  }
  if (desired.include.join('\0') !== actual.include.join('\0'))
    return `includes (${actual.include.join(', ')}), declared (${desired.include.join(', ')})`;
  return builtOptionDifference(desired, actual);
}

/** What is wrong with an index that is as declared, and yet not in order. */
export const INVALID =
  'is INVALID: the leftover of a build that failed or was interrupted; no query uses it, every write maintains it';

/** How a fixed predicate differs, or null. */
export function predicateDifference(
  desired: string | null,
  actual: string | null,
  table: TableShape,
  context: DiffContext,
): string | null {
  if (desired === null && actual === null) return null;
  if (desired === null) return `is partial (WHERE ${actual}), declared without a predicate`;
  if (actual === null) return `has no predicate, declared WHERE ${desired}`;
  return context.facts.same(expressionQuestion(table, desired, actual, null))
    ? null
    : `predicate is ${actual}, declared ${desired}`;
}

/** The question whether two expressions over this table mean the same. */
export function expressionQuestion(
  table: TableShape,
  desired: string,
  actual: string,
  castTo: string | null,
): ExpressionQuestion {
  const columns = table.columns.map(({ name, type, collation }) => ({ name, type, collation }));
  return { kind: 'expression', columns, castTo, desired, actual };
}

function keyDifference(
  method: string,
  desired: DesiredIndexKey,
  actual: IndexKeyShape,
  table: TableShape,
  context: DiffContext,
): string | null {
  // A cast of a column to its own type PostgreSQL keeps as the column.
  const written = actual.column === null ? null : quoteIdentifier(actual.column);
  const isWritten =
    desired.expression !== null &&
    written !== null &&
    context.facts.same(expressionQuestion(table, desired.expression, written, null));
  if (desired.column !== actual.column && !isWritten)
    return `key is ${describeKey(actual)}, declared ${describeKey(desired)}`;
  if (desired.expression !== null && actual.expression !== null) {
    if (!context.facts.same(expressionQuestion(table, desired.expression, actual.expression, null)))
      return `expression is ${actual.expression}, declared ${desired.expression}`;
  }
  if (!sameOpclass(method, desired.opclass, actual.opclass, context))
    return `operator class is ${actual.opclass ?? 'the default'}, declared ${desired.opclass ?? 'the default'}`;
  const [option] = optionDifferences(desired.opclassOptions, actual.opclassOptions, {});
  if (option !== undefined) return `operator class ${option.words}`;
  // The key's own goes without saying, as the server says it.
  const isOwn = actual.collation === null && desired.collation === actual.ownCollation;
  if (desired.collation !== actual.collation && !isOwn)
    return `collation is ${actual.collation ?? 'the default'}, declared ${desired.collation ?? 'the default'}`;
  if (desired.order !== actual.order || desired.nulls !== actual.nulls)
    return `${describeKey(actual)} is ${order(actual)}, declared ${order(desired)}`;
  return null;
}

function sameOpclass(method: string, desired: string | null, actual: string | null, context: DiffContext): boolean {
  if (desired === actual) return true;
  return desired !== null && actual === null && context.isDefaultOpclass(method, desired);
}

const describeMethod = (method: { readonly name: string; readonly extension: string | null }): string =>
  method.extension === null ? method.name : `${method.name} of extension ${method.extension}`;

const describeKey = (key: { readonly column: string | null; readonly expression: string | null }): string =>
  key.column ?? `(${key.expression})`;

const order = (key: { readonly order: string; readonly nulls: string }): string =>
  `${key.order.toUpperCase()} NULLS ${key.nulls.toUpperCase()}`;
