/**
 * Text with placeholders: `${name}` for a parameter, `${set.value}` for a value of an index family, `$${` for a
 * literal `${`. Pure text; what a name stands for is the caller's to say.
 */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly offset: number }
  | {
      readonly kind: 'placeholder';
      readonly name: string;
      readonly offset: number;
      readonly quoted: boolean;
      /** It begins a string constant and a dot follows: the schema of an object's name, as in `'${schema}.s'::regclass`. */
      readonly named: boolean;
    }
  | { readonly kind: 'malformed'; readonly text: string; readonly offset: number };

const NAME = /^\$\{\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?)\s*\}/u;

/** Splits text into its pieces. `quoted` tells that a placeholder stands inside quotes or a comment of SQL. */
export function parsePlaceholders(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  let index = text.indexOf('${');
  while (index !== -1) {
    if (index > 0 && text[index - 1] === '$') {
      pieces.push({ kind: 'text', text: text.slice(from, index - 1), offset: from });
      pieces.push({ kind: 'text', text: '${', offset: index - 1 });
      from = index + 2;
    } else {
      if (index > from) pieces.push({ kind: 'text', text: text.slice(from, index), offset: from });
      const found = NAME.exec(text.slice(index, index + 200));
      if (found === null) {
        const end = text.indexOf('}', index);
        const whole = text.slice(index, end === -1 ? undefined : end + 1).slice(0, 60);
        pieces.push({ kind: 'malformed', text: whole, offset: index });
        return pieces;
      }
      const quote = enclosing(text, index);
      from = index + found[0].length;
      const named = text[from] === '.' && quote?.index === index - 1 && quote[0].startsWith("'");
      pieces.push({ kind: 'placeholder', name: found[1] ?? '', offset: index, quoted: quote !== null, named });
    }
    index = text.indexOf('${', from);
  }
  if (from < text.length) pieces.push({ kind: 'text', text: text.slice(from), offset: from });
  return pieces;
}

/** Quoted text, comments and dollar quotes of SQL; the last alternatives take what is never closed. */
const QUOTED =
  /\b[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$(\w*)\$(?!\{)[\s\S]*?(?:\$\1\$|$)/gu;

/** The quoted text or comment that an offset lies in. */
function enclosing(text: string, index: number): RegExpMatchArray | null {
  for (const match of text.matchAll(QUOTED)) {
    if (match.index > index) return null;
    if (match.index + match[0].length > index) return match;
  }
  return null;
}
