import { fragmentTree } from './fragments.js';
import type { Node } from './parser.js';
import { text as textOf, walk } from './tree.js';

/** A table as a query names it. */
export interface NamedTable {
  readonly schema: string | null;
  readonly table: string;
}

/** Every table that a query names, but for those of its own WITH. */
export async function tablesOf(query: string): Promise<readonly NamedTable[]> {
  const { tree } = await fragmentTree('query', query);
  const common = commonTables(tree);
  const found = new Map<string, NamedTable>();
  walk({ SelectStmt: tree }, ({ kind, body }) => {
    if (kind !== 'RangeVar') return;
    const named = { schema: textOf(body, 'schemaname'), table: textOf(body, 'relname') ?? '' };
    if (named.schema === null && common.has(named.table)) return;
    found.set(JSON.stringify(named), named);
  });
  return [...found.values()];
}

/** Names of WITH queries anywhere inside: a table of such a name, written bare, is never taken for the tenant's. */
export function commonTables(select: Node): ReadonlySet<string> {
  const found = new Set<string>();
  walk({ SelectStmt: select }, ({ kind, body }) => {
    if (kind === 'CommonTableExpr') found.add(textOf(body, 'ctename') ?? '');
  });
  return found;
}
