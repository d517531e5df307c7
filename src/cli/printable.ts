import { speltOut } from '../spelt-out.js';

/**
 * Text with the characters of {@link speltOut} spelt out, so that a name out of a database cannot move the cursor, colour
 * the screen, turn the reading direction or look like another. Newlines stay.
 */
export const printable = (text: string): string =>
  text
    .split('\n')
    .map((line) => speltOut(line))
    .join('\n');
