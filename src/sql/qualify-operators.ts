import { fragmentTree } from './fragments.js';
import { quoteIdentifier } from './quote.js';
import { list, locationOf, names, walk } from './tree.js';

/**
 * The same query, with bare operators that live in an extension's schema written qualified: `a OPERATOR(public.<=>) b`. Both
 * ways of writing bind alike, as long as no operator of PostgreSQL's own has the name.
 * @param schemaOf the schema of an operator that pg_catalog does not have, else null
 * @throws {TrueupError} FRAGMENT_REFUSED when the text is not one query
 */
export async function qualifyOperators(query: string, schemaOf: (operator: string) => string | null): Promise<string> {
  const { tree, shift } = await fragmentTree('query', query);
  const found = new Map<number, string>();
  walk({ SelectStmt: tree }, ({ kind, body }) => {
    const name = kind === 'A_Expr' ? names(list(body, 'name')) : [];
    const [operator] = name;
    if (operator !== undefined && name.length === 1) found.set(locationOf(body) - shift, operator);
  });
  const bytes = Buffer.from(query);
  const out: Buffer[] = [];
  let rest = 0;
  for (const [at, operator] of [...found].sort(([a], [b]) => a - b)) {
    const schema = schemaOf(operator);
    const end = at + Buffer.byteLength(operator);
    // BETWEEN, IN and LIKE stand where the tree says `=` or `~~`: their operators are PostgreSQL's own.
    if (schema === null || bytes.subarray(at, end).toString() !== operator) continue;
    // `a<=>b` would become one word with its neighbour, which may end with a byte of a letter of several.
    const space = /[\w$\x80-\xff]/u.test(String.fromCharCode(bytes[at - 1] ?? 0)) ? ' ' : '';
    out.push(bytes.subarray(rest, at), Buffer.from(`${space}OPERATOR(${quoteIdentifier(schema)}.${operator})`));
    rest = end;
  }
  return Buffer.concat([...out, bytes.subarray(rest)]).toString();
}
