import { hasUnseen, speltOut } from './spelt-out.js';

/** A word as a POSIX shell takes it for itself. */
export function shellQuoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/u.test(word)) return word;
  // What reports spell out would reach the shell spelt out, as another word; and a control character the terminal.
  if (hasUnseen(word)) return `$'${speltOut(word.replaceAll(/[\\']/gu, '\\$&'), asBytes)}'`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Bytes mean the same whatever the shell's locale. */
const asBytes = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
