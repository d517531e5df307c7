/** A piece of SQL text as PostgreSQL's scanner cuts it; enough of it to tell strings and names from the rest. */
export interface Token {
  readonly kind: TokenKind;
  /** As written. */
  readonly text: string;
  /** 0-based offset in the text, in UTF-16 units. */
  readonly start: number;
  /** Decoded content of a string, name or quoted name; the text itself otherwise. */
  readonly value: string;
}

/** What a token is; `unterminated` is a string, name or comment that does not end. */
export type TokenKind =
  | 'space'
  | 'comment'
  | 'string'
  | 'dollar-string'
  | 'quoted-name'
  | 'parameter'
  | 'number'
  | 'word'
  | 'cast'
  | 'symbol'
  | 'unterminated';

const TOKEN = new RegExp(
  [
    String.raw`(?<space>[ \t\n\r\f\v]+)`,
    String.raw`(?<comment>--[^\n\r]*|/\*)`,
    String.raw`(?<escaped>[eE]'[^'\\]*(?:(?:\\[\s\S]|'')[^'\\]*)*')`,
    `(?<string>(?:[bBxXnN]|[uU]&)?'[^']*(?:''[^']*)*')`,
    `(?<name>(?:[uU]&)?"[^"]*(?:""[^"]*)*")`,
    String.raw`(?<parameter>\$\d+)`,
    String.raw`(?<dollar>\$(?<tag>[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$)`,
    String.raw`(?<number>(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)`,
    String.raw`(?<word>[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*)`,
    '(?<cast>::)',
    String.raw`(?<symbol>[\s\S])`,
  ].join('|'),
  'yu',
);

/** Cuts SQL text into tokens that, joined, are the text again. Never throws: see the kind `unterminated`. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const groups = pattern.exec(text)?.groups ?? {};
    const token = read(text, at, groups);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function read(text: string, start: number, groups: Readonly<Record<string, string | undefined>>): Token {
  const { space, comment, escaped, string, name, parameter, dollar, number, word, cast } = groups;
  const token = (kind: TokenKind, found: string, value = found): Token => ({ kind, text: found, start, value });
  if (space !== undefined) return token('space', space);
  if (comment !== undefined) {
    if (comment !== '/*') return token('comment', comment);
    const end = endOfComment(text, start);
    return end === null ? token('unterminated', text.slice(start)) : token('comment', text.slice(start, end));
  }
  if (escaped !== undefined) return token('string', escaped, decodeEscapes(escaped.slice(2, -1)));
  if (string !== undefined) {
    return token('string', string, string.slice(string.indexOf("'") + 1, -1).replaceAll("''", "'"));
  }
  if (name !== undefined) {
    return token('quoted-name', name, name.slice(name.indexOf('"') + 1, -1).replaceAll('""', '"'));
  }
  if (parameter !== undefined) return token('parameter', parameter);
  if (dollar !== undefined) {
    const end = text.indexOf(dollar, start + dollar.length);
    if (end < 0) return token('unterminated', text.slice(start));
    return token('dollar-string', text.slice(start, end + dollar.length), text.slice(start + dollar.length, end));
  }
  if (number !== undefined) return token('number', number);
  if (word !== undefined) return token('word', word);
  if (cast !== undefined) return token('cast', cast);
  const symbol = groups.symbol ?? text.charAt(start);
  return symbol === "'" || symbol === '"' ? token('unterminated', text.slice(start)) : token('symbol', symbol);
}

/** Comments nest in PostgreSQL. */
function endOfComment(text: string, start: number): number | null {
  const mark = /\/\*|\*\//gu;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(text); found !== null; found = mark.exec(text)) {
    depth += found[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return null;
}

const ESCAPE = /''|\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([\s\S]))/gu;
const LETTERS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function decodeEscapes(body: string): string {
  return body.replaceAll(
    ESCAPE,
    (whole, octal?: string, hex?: string, four?: string, eight?: string, other?: string) => {
      if (whole === "''") return "'";
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
      const code = hex ?? four ?? eight;
      if (code !== undefined) {
        const point = Number.parseInt(code, 16);
        return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
      }
      return LETTERS[other ?? ''] ?? other ?? '';
    },
  );
}
