import { describe, expect, it } from 'vitest';
import { paragraph } from '../../src/report/layout.js';
import { shellQuoted } from '../../src/shell-quoted.js';

describe('a paragraph', () => {
  it('is broken between words', () => {
    expect(paragraph('one two three: give --schema, or --verbose shows it', 20, 2, 2)).toEqual([
      '  one two three:',
      '    give --schema,',
      '    or --verbose',
      '    shows it',
    ]);
  });

  it('fills a line to its last column', () => {
    expect(paragraph('one two', 7, 0)).toEqual(['one two']);
    expect(paragraph('one two', 6, 0)).toEqual(['one', 'two']);
  });

  it.each(['t1', 'half & half', "o'brien is here", 'two\nlines of it', "a\\ b'c d"])(
    'leaves a command whole, with the name in it: %j',
    (name) => {
      const schema = shellQuoted(name);
      const apply = `trueup apply --schema ${schema} --phase vector`;
      expect(paragraph(`see it: trueup plan --schema ${schema} --verbose; mend it: ${apply}`, 20, 0)).toEqual([
        'see it:',
        `trueup plan --schema ${schema} --verbose;`,
        'mend it:',
        apply,
      ]);
    },
  );

  it('leaves a flag and its quoted name together', () => {
    expect(paragraph("name it: --schema 'half & half'; or leave it out", 24, 0)).toEqual([
      'name it:',
      "--schema 'half & half';",
      'or leave it out',
    ]);
  });
});
