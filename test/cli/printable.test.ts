import { describe, expect, it } from 'vitest';
import { printable } from '../../src/cli/printable.js';
import { wrapped } from '../../src/inspect/yaml-text.js';
import { visible } from '../../src/report/visible.js';

const UNSEEN: readonly string[] = [
  ...'\x00\t\r\x1b\x7f\x85\u00ad\u061c\u115f\u180e\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\u3164\ufeff',
  '\u{e0067}',
];

describe('names that standard error shows', () => {
  it('have the same characters spelt out as in reports, whatever is not seen', () => {
    for (const character of UNSEEN) {
      const name = `te${character}nant`;
      expect(printable(name)).toMatch(/^te\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})nant$/u);
      expect(printable(name)).toBe(visible(name));
    }
  });

  it('stand so in the comments of a written file too', () => {
    for (const character of UNSEEN) expect(wrapped(`"te${character}nant"`)).toEqual([visible(`"te${character}nant"`)]);
  });

  it('keep the ends of their lines, which a report of one line spells out', () => {
    expect(printable('a\nb')).toBe('a\nb');
    expect(visible('a\nb')).toBe(String.raw`a\x0ab`);
  });

  it('keep what words and emoji are written with', () => {
    for (const name of ['👩‍👩‍👧', '❤️', 'می‌خواهم', 'Ünï', '日本']) {
      expect(printable(name)).toBe(name);
      expect(visible(name)).toBe(name);
    }
  });
});
