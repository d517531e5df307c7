import { type Token, tokenize } from '../../sql/lexer.js';
import { schemaNamed } from '../visible.js';
import { Html, html, lines } from './html.js';

/** Statements of more characters than this are set one element of their outer list a line. */
const LONG = 110;

/** A statement as it would stand in a script for psql, its tokens marked by kind. Joined, its text is the statement. */
export function sqlHtml(statement: string): Html {
  const text = `${schemaNamed(statement)};`;
  const tokens = tokenize(text.length > LONG ? broken(text) : text);
  return new Html(tokens.map((token, at) => tokenHtml(token, tokens[at - 1]).markup).join(''));
}

function tokenHtml(token: Token, before: Token | undefined): Html {
  const text = lines(token.text);
  const kind = kindOf(token, before);
  return kind === null ? text : html`<span class="${kind}">${text}</span>`;
}

/** Builders write keywords in capitals, and quote every name that has any. */
function kindOf({ kind, text }: Token, before: Token | undefined): string | null {
  // psql's :"schema" and :'row.value'.
  const variable = before?.text === ':';
  switch (kind) {
    case 'word':
      return /^[A-Z][A-Z_]*$/u.test(text) ? 'k' : null;
    case 'string':
    case 'dollar-string':
      return variable ? 'v' : 's';
    case 'quoted-name':
      return variable ? 'v' : null;
    case 'number':
      return 'n';
    case 'comment':
      return 'c';
    default:
      return text === ':' ? 'v' : null;
  }
}

/** With line ends in the first list in parentheses of a CREATE TABLE: only space between tokens changes. */
function broken(statement: string): string {
  if (!/^CREATE (?:UNLOGGED )?TABLE /u.test(statement)) return statement;
  let depth = 0;
  let lists = 0;
  let text = '';
  for (const token of tokenize(statement)) {
    const before = text;
    if (token.text === '(') {
      depth += 1;
      if (depth === 1) lists += 1;
      text += depth === 1 && lists === 1 ? '(\n  ' : '(';
    } else if (token.text === ')') {
      text += depth === 1 && lists === 1 ? '\n)' : ')';
      depth -= 1;
    } else if (token.text === ',' && depth === 1 && lists === 1) text += ',\n  ';
    else if (!(token.kind === 'space' && before.endsWith('\n  '))) text += token.text;
  }
  return text;
}
