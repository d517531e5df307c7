/** What stands for a value that comes from a row. */
export const HIDDEN = '…';

const QUOTING: readonly [pattern: RegExp, replacement: string][] = [
  // DETAIL of 23503, 23505 and 23P01.
  [/(Key \([\s\S]*?\))=\([\s\S]*?\)(?= (?:already exists|is |conflicts|references)|$)/gu, `$1=(${HIDDEN})`],
  [/(conflicts with existing key \([\s\S]*?\))=\([\s\S]*\)/gu, `$1=(${HIDDEN})`],
  // DETAIL of 23502 and 23514.
  [/(Failing row contains) \([\s\S]*\)/gu, `$1 (${HIDDEN})`],
  // 22P02, 22007, 22003.
  [/((?:invalid|malformed) [^":]*(?:"[^"]*")?: )"[\s\S]*"/gu, `$1"${HIDDEN}"`],
  [/(value )"[\s\S]*?"( is out of range)/gu, `$1"${HIDDEN}"$2`],
  // Names of family members are made of values.
  [/(index family .* gives the name )[\s\S]*?( twice|, which (?:the desired state|index family) )/gu, `$1${HIDDEN}$2`],
];

/** A message (the server's, mostly) without the values of rows that it quotes: keys are often customers' names. */
export const withoutRowValues = (message: string): string =>
  QUOTING.reduce((text, [pattern, replacement]) => text.replaceAll(pattern, replacement), message);
