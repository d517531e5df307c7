import { speltOut } from '../spelt-out.js';

const CONTROL = /(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text with its control characters spelt out (`\x1b`), so that a name out of a database cannot move the cursor, colour
 * the screen or turn the reading direction. Newlines stay.
 */
export const printable = (text: string): string => speltOut(text, CONTROL);
