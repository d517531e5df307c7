import { describe, expect, it } from 'vitest';
import type { DesiredIndex } from '../../src/desired-state/model.js';
import { definitionDifference, predicateDifference } from '../../src/diff/index-difference.js';
import type { IndexShape } from '../../src/shape/table-shape.js';
import { contextWith, desiredIndex, index, indexKey, table } from '../support/diff-fixture.js';

const context = contextWith({}, { isDefaultOpclass: (method, opclass) => `${method} ${opclass}` === 'btree text_ops' });

const differenceOf = (desired: Partial<DesiredIndex>, actual: Partial<IndexShape>) =>
  definitionDifference(desiredIndex('i', ['a', 'b'], desired), index('i', ['a', 'b'], actual), table(), context);

const lower = (text: string) => indexKey('', { column: null, expression: text });

it('a collation that is the key’s own need not be told apart from none, as the server gives none then', () => {
  const actual = { keys: [indexKey('a', { ownCollation: '"C"' })] };
  expect(differenceOf({ keys: [indexKey('a', { collation: '"C"' })] }, actual)).toBeNull();
  expect(differenceOf({ keys: [indexKey('a', { collation: '"POSIX"' })] }, actual)).toBe(
    'collation is the default, declared "POSIX"',
  );
});

describe('how an index differs from its declaration', () => {
  it.each([
    ['access method is gin of extension other, declared btree', {}, { method: { name: 'gin', extension: 'other' } }],
    ['is unique, declared not', {}, { unique: true }],
    ['is not unique, declared unique', { unique: true }, {}],
    ['NULLS NOT DISTINCT differs', { unique: true }, { unique: true, nullsNotDistinct: true }],
    ['has 1 key, declared 2', {}, { keys: [indexKey('a')] }],
    ['key 2: key is c, declared b', {}, { keys: [indexKey('a'), indexKey('c')] }],
    ['key is (lower(a)), declared a', { keys: [indexKey('a')] }, { keys: [lower('lower(a)')] }],
    ['expression is lower(a), declared upper(a)', { keys: [lower('upper(a)')] }, { keys: [lower('lower(a)')] }],
    [
      'operator class is the default, declared text_pattern_ops',
      { keys: [indexKey('a', { opclass: 'text_pattern_ops' })] },
      { keys: [indexKey('a')] },
    ],
    [
      'operator class is text_pattern_ops, declared the default',
      { keys: [indexKey('a')] },
      { keys: [indexKey('a', { opclass: 'text_pattern_ops' })] },
    ],
    [
      'operator class option siglen is 32, declared 64',
      { keys: [indexKey('a', { opclassOptions: { siglen: '64' } })] },
      { keys: [indexKey('a', { opclassOptions: { siglen: '32' } })] },
    ],
    [
      'collation is "C", declared the default',
      { keys: [indexKey('a')] },
      { keys: [indexKey('a', { collation: '"C"' })] },
    ],
    [
      'collation is the default, declared "C"',
      { keys: [indexKey('a', { collation: '"C"' })] },
      { keys: [indexKey('a')] },
    ],
    [
      'a is DESC NULLS LAST, declared ASC NULLS LAST',
      { keys: [indexKey('a')] },
      { keys: [indexKey('a', { order: 'desc' })] },
    ],
    [
      'a is ASC NULLS FIRST, declared ASC NULLS LAST',
      { keys: [indexKey('a')] },
      { keys: [indexKey('a', { nulls: 'first' })] },
    ],
    ['includes (c, d), declared (c)', { include: ['c'] }, { include: ['c', 'd'] }],
    ['option m is 24, declared not set', {}, { options: { m: '24' } }],
    ['option m is not set, declared 24', { options: { m: '24' } }, {}],
    ['option m is 24, declared 16', { optionDefaults: { m: '16' } }, { options: { m: '24' } }],
  ] satisfies readonly (readonly [string, Partial<DesiredIndex>, Partial<IndexShape>])[])(
    '%s',
    (difference, desired, actual) => {
      expect(differenceOf(desired, actual)).toBe(difference);
    },
  );

  it('an operator class that is named and the type’s default is none', () => {
    expect(differenceOf({ keys: [indexKey('a', { opclass: 'text_ops' })] }, { keys: [indexKey('a')] })).toBeNull();
  });

  it('an option at its default, declared or not, is none', () => {
    const optionDefaults = { m: '16' };
    expect(differenceOf({ optionDefaults }, { options: { m: '16' } })).toBeNull();
    expect(differenceOf({ optionDefaults, options: { m: '16' } }, {})).toBeNull();
  });

  it('an option that the index takes on as it stands is none', () => {
    expect(differenceOf({}, { options: { fillfactor: '70' } })).toBeNull();
    expect(differenceOf({}, { options: { fillfactor: '70', m: '24' } })).toBe('option m is 24, declared not set');
  });

  it('a predicate on one side is one, and another predicate', () => {
    const of = (desired: string | null, actual: string | null) =>
      predicateDifference(desired, actual, table(), context);
    expect(of(null, null)).toBeNull();
    expect(of('a', 'a')).toBeNull();
    expect(of(null, 'a')).toBe('is partial (WHERE a), declared without a predicate');
    expect(of('a', null)).toBe('has no predicate, declared WHERE a');
    expect(of('a', 'b')).toBe('predicate is b, declared a');
  });
});
