import { describe, expect, it } from 'vitest';
import { parameterText, parseArray } from '../../src/database/values.js';

const same = (text: string) => text;

describe('values', () => {
  it.each([
    ['{}', []],
    ['{a,NULL,"NULL","",x y}', ['a', null, 'NULL', '', 'x y']],
    ['{"a\\"b","c\\\\d","{,}"}', ['a"b', 'c\\d', '{,}']],
    [
      '{{1,2},{3,4}}',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['[2:3]={a,b}', ['a', 'b']],
  ])('of an array are read: %s', (text, expected) => {
    expect(parseArray(text, same)).toEqual(expected);
  });

  it('of a parameter are sent as text', () => {
    expect(parameterText(undefined)).toBeNull();
    expect(parameterText(12n)).toBe('12');
    expect(parameterText(false)).toBe('false');
    expect(parameterText({ a: [1] })).toBe('{"a":[1]}');
    expect(parameterText(['a"b', 'c\\d', null, 'NULL', ''])).toBe('{"a\\"b","c\\\\d",NULL,"NULL",""}');
    expect(parameterText([[1], [2]])).toBe('{{1},{2}}');
  });
});
