// Line and paragraph separators end a line in some readers; the others are not seen, or turn the text around them, so
// that two names look alike. Joiners and variation selectors stay: words and emoji are written with them.
const UNSEEN =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}](?<!\u200c|\u200d|[\ufe00-\ufe0f])/gu;

/**
 * Text with the characters that steer a terminal, or that nobody sees, spelt out: `\x1b`, `\u200b`.
 * @param spelling how one is written
 */
export const speltOut = (text: string, spelling: (character: string) => string = byCode): string =>
  text.replaceAll(UNSEEN, spelling);

/** Whether {@link speltOut} would change a text. */
export const hasUnseen = (text: string): boolean => text.search(UNSEEN) >= 0;

function byCode(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = (digits: number) => code.toString(16).padStart(digits, '0');
  if (code < 0x100) return `\\x${hex(2)}`;
  return code < 0x1_0000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}
