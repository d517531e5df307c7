import { expect, it } from 'vitest';
import { copiedFields } from '../../src/database/copy-text.js';

it('reads a line of COPY’s text format: columns, NULL, and what the server escapes', () => {
  expect(copiedFields('a\tb\n')).toEqual(['a', 'b']);
  expect(copiedFields('\\N\t\t\\\\N\n')).toEqual([null, '', '\\N']);
  expect(copiedFields('tab\\tline\\nreturn\\rback\\bfeed\\fv\\vslash\\\\n\n')).toEqual([
    'tab\tline\nreturn\rback\bfeed\fv\vslash\\n',
  ]);
  expect(copiedFields('\n')).toEqual(['']);
});
