/** Texts that differ in one place: what stands before it, after it, and in it. */
export interface Codes {
  readonly before: string;
  readonly after: string;
  /** One a text, in order. A single text has none. */
  readonly codes: readonly string[];
}

/** Stands for a row's part of a name, which no code may hold: no name that the format takes has it. */
export const ROW_MARK = '\u0002';

/**
 * Finds the one place in which names differ, widened to whole words between underscores: of `a_worl_x` and `a_obsv_x` the
 * codes are `worl` and `obsv`. Null where they differ in more than that.
 */
export function codesOf(texts: readonly string[]): Codes | null {
  const [first] = texts;
  if (first === undefined) return null;
  if (texts.length === 1) return { before: first, after: '', codes: [''] };
  let before = common(texts);
  before = before.slice(0, Math.max(before.lastIndexOf('_'), before.lastIndexOf(ROW_MARK)) + 1);
  const rests = texts.map((text) => text.slice(before.length));
  let after = reversed(common(rests.map(reversed)));
  const boundary = Math.min(...[after.indexOf('_'), after.indexOf(ROW_MARK)].filter((at) => at >= 0));
  after = Number.isFinite(boundary) ? after.slice(boundary) : '';
  const codes = rests.map((rest) => rest.slice(0, rest.length - after.length));
  const sound = codes.every((code) => code !== '' && !code.includes(ROW_MARK));
  return sound && new Set(codes).size === codes.length ? { before, after, codes } : null;
}

function common(texts: readonly string[]): string {
  const [first = ''] = texts;
  let length = 0;
  while (length < first.length && texts.every((text) => text[length] === first[length])) length += 1;
  return first.slice(0, length);
}

const reversed = (text: string): string => [...text].reverse().join('');
