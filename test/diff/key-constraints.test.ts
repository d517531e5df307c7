import { describe, expect, it } from 'vitest';
import { keyIndexName } from '../../src/diff/constraint-steps.js';
import { diffConstraints } from '../../src/diff/constraints.js';
import type { IndexShape } from '../../src/shape/table-shape.js';
import { contextWith, desiredTable, index, indexKey, table, uniqueKey } from '../support/diff-fixture.js';

const WANTED = uniqueKey('items_key', ['shop', 'code']);

/** `action: reason` of what the key needs where such an index stands. */
function neededBeside(name: string, fields: Partial<IndexShape>): string | undefined {
  const actual = table({ indexes: [index(name, ['shop', 'code'], { unique: true, ...fields })] });
  const [made] = diffConstraints(desiredTable({ constraints: [WANTED] }), actual, new Set(), contextWith()).changes;
  return made === undefined ? undefined : `${made.action}: ${made.reason}`;
}

const OTHERS: readonly { readonly title: string; readonly fields: Partial<IndexShape> }[] = [
  { title: 'is not unique', fields: { unique: false } },
  { title: 'is INVALID', fields: { valid: false } },
  { title: 'is no b-tree', fields: { method: { name: 'other', extension: 'other' } } },
  { title: 'is partial', fields: { where: 'code IS NOT NULL' } },
  { title: 'is NULLS NOT DISTINCT', fields: { nullsNotDistinct: true } },
  { title: 'includes a column', fields: { include: ['note'] } },
  { title: 'has its columns in another order', fields: { keys: [indexKey('code'), indexKey('shop')] } },
  { title: 'has a column less', fields: { keys: [indexKey('shop')] } },
  {
    title: 'is over an expression',
    fields: { keys: [indexKey('shop'), indexKey('', { column: null, expression: 'lower(code)' })] },
  },
  {
    title: 'sorts downwards',
    fields: { keys: [indexKey('shop'), indexKey('code', { order: 'desc', nulls: 'last' })] },
  },
  { title: 'sorts NULL first', fields: { keys: [indexKey('shop'), indexKey('code', { nulls: 'first' })] } },
  { title: 'has another collation', fields: { keys: [indexKey('shop'), indexKey('code', { collation: '"C"' })] } },
  {
    title: 'has another operator class',
    fields: { keys: [indexKey('shop'), indexKey('code', { opclass: 'text_pattern_ops' })] },
  },
  {
    title: 'has an option of its operator class',
    fields: { keys: [indexKey('shop'), indexKey('code', { opclassOptions: { siglen: '32' } })] },
  },
];

describe('an index that a key finds under its name', () => {
  it('becomes its own when it is what the key would build', () => {
    expect(neededBeside('items_key', {})).toBe('add-constraint: its index is there, without the constraint');
  });

  it.each(OTHERS)('makes way when it $title', ({ fields }) => {
    expect(neededBeside('items_key', fields)).toMatch(/^replace-constraint: an index that is not the constraint’s/u);
  });
});

describe('an index that an interrupted run built for a key', () => {
  it('is taken over, not built again', () => {
    expect(neededBeside(keyIndexName(WANTED), {})).toBe(
      'add-constraint: missing; an interrupted run has built its index',
    );
  });

  it.each(OTHERS)('is not when it $title', ({ fields }) => {
    expect(neededBeside(keyIndexName(WANTED), fields)).toBe('add-constraint: missing');
  });

  it('is not when it goes with a column that is replaced', () => {
    const actual = table({ indexes: [index(keyIndexName(WANTED), ['shop', 'code'], { unique: true })] });
    const desired = desiredTable({ constraints: [WANTED] });
    const { changes } = diffConstraints(desired, actual, new Set(['code']), contextWith());
    expect(changes.map((made) => made.reason)).toEqual(['missing']);
  });
});
