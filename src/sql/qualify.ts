import { fragmentTree } from './fragments.js';
import type { NameKind, NameResolver } from './names.js';
import { commonTables } from './query-tables.js';
import { quoteIdentifier } from './quote.js';
import { TENANT_SCHEMA_SQL } from './template.js';
import { list, locationOf, names as namesOf, text as textOf, walk } from './tree.js';

/**
 * The same text, with bare types and functions that live in an extension's schema written qualified. In a query, tables
 * without a schema become the tenant's own ({@link TENANT_SCHEMA_SQL}).
 * @throws {TrueupError} FRAGMENT_REFUSED when the text is not one fragment of its kind.
 */
export async function qualifyNames(
  kind: 'type' | 'expression' | 'query',
  text: string,
  names: NameResolver,
): Promise<string> {
  const { tree, shift } = await fragmentTree(kind, text);
  const common = kind === 'query' ? commonTables(tree) : new Set<string>();
  const insertions = new Map<number, string>();
  const insert = (location: number, prefix: string | null): void => {
    // A location of -1 is unknown: what stands there was made by the grammar, not written.
    if (prefix !== null && location >= shift) insertions.set(location - shift, prefix);
  };
  const top = kind === 'type' ? { TypeName: tree } : kind === 'query' ? { SelectStmt: tree } : tree;
  walk(top, ({ kind: found, body }) => {
    if (found === 'TypeName') insert(locationOf(body), prefixOf('type', namesOf(list(body, 'names')), names));
    if (found === 'FuncCall') insert(locationOf(body), prefixOf('function', namesOf(list(body, 'funcname')), names));
    if (found !== 'RangeVar' || kind !== 'query' || textOf(body, 'schemaname') !== null) return;
    if (!common.has(textOf(body, 'relname') ?? '')) insert(locationOf(body), `${TENANT_SCHEMA_SQL}.`);
  });
  return inserted(text, insertions);
}

/** The name of an access method's operator class, qualified when it lives in an extension's schema. */
export async function qualifyOperatorClass(name: string, names: NameResolver, method?: string): Promise<string> {
  const { tree } = await fragmentTree('operator-class', name);
  return `${prefixOf('operator-class', namesOf(list(tree, 'names')), names, method) ?? ''}${name}`;
}

function prefixOf(kind: NameKind, name: readonly string[], names: NameResolver, method?: string): string | null {
  const [bare, ...rest] = name;
  const schema = bare === undefined || rest.length > 0 ? null : names.schemaOf(kind, bare, method);
  return schema === null ? null : `${quoteIdentifier(schema)}.`;
}

/** Locations are offsets in bytes of UTF-8. */
function inserted(text: string, insertions: ReadonlyMap<number, string>): string {
  if (insertions.size === 0) return text;
  const bytes = Buffer.from(text);
  const out: Buffer[] = [];
  let rest = 0;
  for (const [at, prefix] of [...insertions].sort(([a], [b]) => a - b)) {
    out.push(bytes.subarray(rest, at), Buffer.from(prefix));
    rest = at;
  }
  return Buffer.concat([...out, bytes.subarray(rest)]).toString();
}
