import { Ansis } from 'ansis';

/** The palette of a text without colours: a program that only has this package cannot make one of its own. */
export const NO_COLOR = new Ansis(0);

/** How a report is laid out for people. */
export interface TextOptions {
  /** Palette; {@link NO_COLOR} for none. */
  readonly color: Ansis;
  /** Columns of the terminal. */
  readonly width: number;
}

/** What a paragraph begins with, and where its further lines begin. */
export interface Indent {
  readonly first: string;
  /** Columns. */
  readonly rest: number;
}

/** Breaks text between words. A word that is longer than a line stays whole: it is a name to be copied. */
export function wrapped(text: string, width: number, indent: Indent): readonly string[] {
  const lines: string[] = [];
  let line = indent.first;
  let fresh = true;
  for (const word of text.split(' ')) {
    if (!fresh && columns(line) + 1 + columns(word) > width) {
      lines.push(line);
      line = ' '.repeat(indent.rest);
      fresh = true;
    }
    line += fresh ? word : ` ${word}`;
    fresh = false;
  }
  return [...lines, line];
}

/** A paragraph indented as a whole. */
export const paragraph = (text: string, width: number, at: number, hang = 0): readonly string[] =>
  wrapped(text, width, { first: ' '.repeat(at), rest: at + hang });

const columns = (text: string): number => [...text].length;
