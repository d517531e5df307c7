const CONTROL = /(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text with its control characters spelt out (`\x1b`), so that a name out of a database cannot move the cursor, colour
 * the screen or turn the reading direction. Newlines stay.
 */
export const printable = (text: string): string =>
  text.replaceAll(CONTROL, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
