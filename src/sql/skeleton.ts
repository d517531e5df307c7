import { type Token, tokenize } from './lexer.js';

/** Deparsed SQL with its constants taken out: `(a = $1::text) AND (b = $2)` and their values in that order. */
export interface Skeleton {
  readonly text: string;
  /** Strings decoded, numbers as written. */
  readonly literals: readonly string[];
}

/**
 * Takes string and number constants out of deparsed SQL, so that predicates which differ only in values share a text.
 * Type modifiers stay: `varchar(20)` does not parse with a parameter. Text that holds parameters already is left alone.
 */
export function skeleton(text: string): Skeleton {
  return plainSkeleton(text) ?? tokenSkeleton(text);
}

/** Without the lexer, for what nearly all predicates of a fleet consist of: words, comparisons and plain strings. */
function plainSkeleton(text: string): Skeleton | null {
  const pieces = text.split("'");
  const outside = pieces.filter((_, at) => at % 2 === 0);
  // An empty piece between two strings is a doubled quote; a word before one is an escape string or a typed constant.
  const plain =
    pieces.length % 2 === 1 &&
    outside.every(
      (piece, at) =>
        /^(?:[ ()=<>.,:]|\b[A-Za-z_]\w*)*$/u.test(piece) &&
        (at === outside.length - 1 || ((piece !== '' || at === 0) && !/\w$/u.test(piece))),
    );
  if (!plain) return null;
  return {
    text: outside.reduce((said, piece, at) => `${said}$${at}${piece}`),
    literals: pieces.filter((_, at) => at % 2 === 1),
  };
}

function tokenSkeleton(text: string): Skeleton {
  const tokens = tokenize(text);
  if (tokens.some((token) => token.kind === 'parameter')) return { text, literals: [] };
  const literals: string[] = [];
  const modifiers = modifierTokens(tokens);
  const out = tokens.map((token) => {
    const plain = token.kind === 'string' && /^[eE]?'/u.test(token.text);
    if (!plain && !(token.kind === 'number' && !modifiers.has(token))) return token.text;
    literals.push(token.value);
    return `$${literals.length}`;
  });
  return { text: out.join(''), literals };
}

/** The tokens inside the parentheses that follow a type after `::`. */
function modifierTokens(tokens: readonly Token[]): ReadonlySet<Token> {
  const found = new Set<Token>();
  let inType = false;
  let inModifier = false;
  for (const token of tokens) {
    if (token.kind === 'cast') inType = true;
    else if (inModifier) {
      found.add(token);
      if (token.text === ')') inModifier = false;
    } else if (inType && token.text === '(') inModifier = true;
    else if (inType && !['word', 'quoted-name', 'space'].includes(token.kind) && token.text !== '.') inType = false;
    else if (inType && /^(?:and|or|is|not|collate|then|else|end|when|between|like|in)$/iu.test(token.text))
      inType = false;
  }
  return found;
}
