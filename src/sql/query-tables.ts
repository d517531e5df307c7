import { commonTables } from './canonical-select.js';
import { fragmentTree } from './fragments.js';
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
