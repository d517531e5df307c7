/** A word as a POSIX shell takes it for itself. */
export function shellQuoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/u.test(word)) return word;
  // A control character in single quotes would reach the terminal.
  if (/\p{Cc}/u.test(word)) return `$'${word.replaceAll(/[\\'\p{Cc}]/gu, escaped)}'`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

const escaped = (character: string): string =>
  character === '\\' || character === "'"
    ? `\\${character}`
    : [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
