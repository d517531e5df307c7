import { type CanonicalContext, generic } from './canonical-tree.js';
import type { Node } from './parser.js';
import { as, child, isNode, list, names, text, walk } from './tree.js';

/** A SELECT in its canonical form: its columns with their names, its tables with their schemas. */
export function canonicalSelect(body: Node, context: CanonicalContext): unknown {
  // The whole query at once: a sub-select does not know the WITH queries around it, and must not be asked again.
  return ['select', generic(rewrite(body, context, commonTables(body)), { ...context, tables: null })];
}

/** Names of WITH queries anywhere inside: a table of such a name, written bare, is never taken for the tenant's. */
export function commonTables(body: Node): ReadonlySet<string> {
  const found = new Set<string>();
  walk({ SelectStmt: body }, (node) => {
    if (node.kind === 'CommonTableExpr') found.add(text(node.body, 'ctename') ?? '');
  });
  return found;
}

/** Names every column, and gives every table its schema, so that what is left compares field by field. */
function rewrite(value: unknown, context: CanonicalContext, common: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => rewrite(item, context, common));
  if (!isNode(value)) return value;
  const out: Record<string, unknown> = {};
  for (const [field, inner] of Object.entries(value)) {
    const range = field === 'RangeVar' && isNode(inner) ? inner : null;
    if (range !== null) out[field] = withSchema(range, context, common);
    else if (field === 'targetList' && Array.isArray(inner)) out[field] = rewrite(inner.map(withName), context, common);
    else out[field] = rewrite(inner, context, common);
  }
  return out;
}

function withSchema(range: Node, context: CanonicalContext, common: ReadonlySet<string>): Node {
  const bare = text(range, 'schemaname') === null && !common.has(text(range, 'relname') ?? '');
  return bare && context.tables !== null ? { ...range, schemaname: context.tables } : range;
}

/** A target without a name gets the one that PostgreSQL gives it, where that is plain. */
function withName(target: unknown): unknown {
  const body = as('ResTarget', target);
  if (body === null || 'name' in body) return target;
  const name = defaultName(body.val);
  return name === null ? target : { ResTarget: { ...body, name } };
}

function defaultName(value: unknown): string | null {
  const column = as('ColumnRef', value);
  const lastField = column === null ? null : as('String', list(column, 'fields').at(-1));
  if (lastField !== null) return text(lastField, 'sval');
  const call = as('FuncCall', value);
  if (call !== null) return names(list(call, 'funcname')).at(-1) ?? null;
  if (as('CoalesceExpr', value) !== null) return 'coalesce';
  const cast = as('TypeCast', value);
  return cast === null
    ? null
    : (defaultName(cast.arg) ?? names(list(child(cast, 'typeName') ?? {}, 'names')).at(-1) ?? null);
}
