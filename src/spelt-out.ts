/** Text with some of its characters spelt out: `\x1b`, `\u2028`. */
export const speltOut = (text: string, characters: RegExp): string =>
  text.replaceAll(characters, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
