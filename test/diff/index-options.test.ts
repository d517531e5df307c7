import { describe, expect, it } from 'vitest';
import { builtOptionDifference, sameOption, settingsFor } from '../../src/diff/index-options.js';

const PLAIN = { name: 'btree', extension: null };

describe('what ALTER INDEX brings in line', () => {
  const said = (method: { name: string; extension: string | null }, options: Readonly<Record<string, string>>) =>
    settingsFor({ method, options: {}, optionDefaults: {} }, { options }).map(
      ({ option, lock }) => `${option} ${lock}`,
    );

  it('is an option that PostgreSQL goes by after the build, under the lock that it takes for it', () => {
    expect(said(PLAIN, { fillfactor: '70' })).toEqual(['fillfactor SHARE UPDATE EXCLUSIVE']);
    expect(said({ ...PLAIN, name: 'gin' }, { fastupdate: 'off' })).toEqual(['fastupdate ACCESS EXCLUSIVE']);
  });

  it('is none that is built in, nor any of an extension’s method, whatever their names', () => {
    for (const name of ['hash', 'gist']) expect(said({ ...PLAIN, name }, { fillfactor: '70' })).toEqual([]);
    expect(said({ ...PLAIN, name: 'brin' }, { pages_per_range: '8' })).toEqual([]);
    expect(said({ name: 'btree', extension: 'other' }, { fillfactor: '70' })).toEqual([]);
  });

  it('is set to what is declared, and reset where nothing is, though a default is', () => {
    const declared = { method: PLAIN, options: { fillfactor: '80' }, optionDefaults: { deduplicate_items: 'on' } };
    expect(settingsFor(declared, { options: { fillfactor: '70', deduplicate_items: 'off' } })).toMatchObject([
      { option: 'fillfactor', value: '80', words: 'option fillfactor is 70, declared 80' },
      { option: 'deduplicate_items', value: null, words: 'option deduplicate_items is off, declared on' },
    ]);
    expect(settingsFor(declared, { options: { fillfactor: '080', deduplicate_items: 'true' } })).toEqual([]);
  });

  it('is told by name, though every object has a constructor', () => {
    const declared = { method: PLAIN, options: { constructor: '1' }, optionDefaults: {} };
    expect(builtOptionDifference(declared, { options: {} })).toBe('option constructor is not set, declared 1');
  });
});

describe('options are the same when they mean the same', () => {
  it.each([
    ['64', '064'],
    ['0.5', '.5'],
    ['on', 'TRUE'],
    ['1', 'y'],
    ['of', 'f'],
    ['no', '0'],
  ])('%s and %s', (left, right) => {
    expect(sameOption(left, right)).toBe(true);
    expect(sameOption(right, left)).toBe(true);
  });

  it.each([
    ['64', '65'],
    ['on', 'off'],
    ['0', ''],
    ['0', ' '],
    ['o', 'on'],
    ['o', 'off'],
    ['', 'true'],
    ['auto', 'never'],
    ['64', 'auto'],
  ])('%j and %j are not', (left, right) => {
    expect(sameOption(left, right)).toBe(false);
    expect(sameOption(right, left)).toBe(false);
  });
});
