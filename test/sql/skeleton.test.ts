import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteLiteral } from '../../src/sql/quote.js';
import { skeleton } from '../../src/sql/skeleton.js';

describe('skeleton', () => {
  it.each([
    ["((a = 'x'::text) AND (b = 'o''brien'::text))", '((a = $1::text) AND (b = $2::text))', ['x', "o'brien"]],
    ["a = E'x\\\\y'::text", 'a = $1::text', ['x\\y']],
    ['(a > 5) AND (b1 < 1.5e3)', '(a > $1) AND (b1 < $2)', ['5', '1.5e3']],
    [
      "a = ('x'::character varying(20))::text AND b = 3",
      'a = ($1::character varying(20))::text AND b = $2',
      ['x', '3'],
    ],
    ['"it\'s" = 1', '"it\'s" = $1', ['1']],
    ['a = $1', 'a = $1', []],
  ])('takes the constants out of %s', (text, expected, literals) => {
    expect(skeleton(text)).toEqual({ text: expected, literals });
  });

  it('G8: reads back any value', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0')),
        (value) => {
          const taken = skeleton(`((a = 'x'::text) AND (b = ${quoteLiteral(value)}::text))`);
          expect(taken.literals).toEqual(['x', value]);
        },
      ),
    );
  });
});
