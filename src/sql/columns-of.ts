import { fragmentTree } from './fragments.js';
import { as, list, text, walk } from './tree.js';

/** Unqualified column names that an expression references, sorted and once each. */
export async function columnsOf(expression: string): Promise<readonly string[]> {
  const { tree } = await fragmentTree('expression', expression);
  const found = new Set<string>();
  const modifiers = new Set<unknown>();
  walk(tree, ({ kind, body }) => {
    // A word that modifies a type, as in `x::t(word)`, parses as a column and is none.
    if (kind === 'TypeName') for (const word of list(body, 'typmods')) modifiers.add(as('ColumnRef', word));
    if (kind !== 'ColumnRef' || modifiers.has(body)) return;
    const fields = list(body, 'fields');
    const [only] = fields;
    const column = fields.length === 1 ? as('String', only) : null;
    if (column !== null) found.add(text(column, 'sval') ?? '');
  });
  return [...found].sort();
}
