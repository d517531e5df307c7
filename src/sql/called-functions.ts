import { fragmentTree } from './fragments.js';
import type { Node } from './parser.js';
import { list, names, walk } from './tree.js';

/** A function as an expression calls it. */
export interface CalledFunction {
  readonly schema: string | null;
  readonly name: string;
}

/** Every function that an expression calls by name, sorted and once each. Operators and casts are not among them. */
export async function calledFunctions(expression: string): Promise<readonly CalledFunction[]> {
  const { tree } = await fragmentTree('expression', expression);
  const found = new Map<string, CalledFunction>();
  walk(tree, ({ kind, body }) => {
    if (kind !== 'FuncCall') return;
    const called = calledBy(body);
    found.set(JSON.stringify(called), called);
  });
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, called]) => called);
}

/** Every call of a function in a query, with the number of its arguments; each once. */
export async function calledWithArguments(
  query: string,
): Promise<readonly (CalledFunction & { readonly count: number })[]> {
  const { tree } = await fragmentTree('query', query);
  const found = new Map<string, CalledFunction & { readonly count: number }>();
  walk({ SelectStmt: tree }, ({ kind, body }) => {
    if (kind !== 'FuncCall') return;
    const called = { ...calledBy(body), count: list(body, 'args').length };
    found.set(JSON.stringify(called), called);
  });
  return [...found.values()];
}

/** @param call a FuncCall */
function calledBy(call: Node): CalledFunction {
  const name = names(list(call, 'funcname'));
  return { schema: name.length > 1 ? name.slice(0, -1).join('.') : null, name: name.at(-1) ?? '' };
}
