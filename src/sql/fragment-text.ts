import type { FragmentKind, FragmentProblem } from './fragments.js';
import { tokenize } from './lexer.js';

/**
 * What no fragment may hold, whatever the parser makes of it in its wrapping: text that closes a parenthesis which it
 * did not open (`a) + (b` is one expression inside parentheses, and something else without), comments that swallow what
 * follows, a second statement, parameters. A comma outside parentheses is no problem in a query: its select list has some.
 */
export function textProblem(kind: FragmentKind, text: string): FragmentProblem | null {
  if (text.trim() === '') return { message: 'it is empty', position: 0 };
  const nul = text.indexOf('\0');
  if (nul >= 0) return { message: 'it holds a NUL character', position: nul };
  const open: number[] = [];
  for (const token of tokenize(text)) {
    const problem = (message: string): FragmentProblem => ({ message, position: token.start });
    if (token.kind === 'comment') return problem('comments are not allowed here');
    if (token.kind === 'unterminated') return problem('a string, name or comment that does not end');
    if (token.kind === 'dollar-string') return problem("dollar quoting is not allowed here; write '…'");
    if (token.kind === 'parameter') return problem(`there is no parameter ${token.text}`);
    if (token.text === ';') return problem('a semicolon: only one is expected');
    if (token.text === '(' || token.text === '[') open.push(token.start);
    if (token.text === ')' || token.text === ']') {
      if (open.pop() === undefined) return problem(`"${token.text}" closes what was not opened`);
    }
    if (token.text === ',' && open.length === 0 && kind !== 'query') return problem('a comma: only one is expected');
  }
  const left = open.at(-1);
  return left === undefined ? null : { message: 'a parenthesis that is not closed', position: left };
}
