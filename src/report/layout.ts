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

/** A word as {@link shellQuoted} leaves it. */
const QUOTED = String.raw`(?:\$'(?:[^'\\]|\\.)*'|'[^']*'(?:\\''[^']*')*)`;

/** A command with its flags, and a flag whose value is quoted: with a line's end in it a shell would run half of it. */
const COMMAND = new RegExp(
  String.raw`trueup [a-z]+(?: --[a-z-]+(?: (?:${QUOTED}|[\w@%+=:,./-]+))?)+|--[a-z-]+ ${QUOTED}`,
  'gu',
);

/** Stands for a space that no line ends at; text for people holds none of its own. */
const JOINT = '\0';

/**
 * Breaks text between words. A word that is longer than a line stays whole, and so does a command: they are there to be
 * copied.
 */
export function wrapped(text: string, width: number, indent: Indent): readonly string[] {
  const lines: string[] = [];
  let line = indent.first;
  let fresh = true;
  const joined = text.replaceAll(COMMAND, (command) => command.replaceAll(' ', JOINT));
  for (const word of joined.split(' ').map((one) => one.replaceAll(JOINT, ' '))) {
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

/** Blocks of lines with an empty line between them; those that have no line are left out. */
export const inBlocks = (blocks: readonly (readonly string[])[]): string =>
  blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
