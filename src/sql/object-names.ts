import { fragmentTree } from './fragments.js';
import { type KindedNode, list, names, walk } from './tree.js';

/** What planning an expression or a query might run. */
type ObjectKind = 'function' | 'operator' | 'type';

/** The function, operator or type (its casts) that a node itself names, in its parts; null where it names none. */
export function objectNamed({
  kind,
  body,
}: KindedNode): { readonly kind: ObjectKind; readonly parts: readonly string[] } | null {
  switch (kind) {
    case 'FuncCall':
      return { kind: 'function', parts: names(list(body, 'funcname')) };
    case 'A_Expr':
      return { kind: 'operator', parts: names(list(body, 'name')) };
    case 'SubLink':
      return { kind: 'operator', parts: names(list(body, 'operName')) };
    case 'SortBy':
      return { kind: 'operator', parts: names(list(body, 'useOp')) };
    case 'TypeName':
      return { kind: 'type', parts: names(list(body, 'names')) };
    default:
      return null;
  }
}

/** Something that an expression or a query names outside pg_catalog. */
export interface ForeignName {
  readonly kind: ObjectKind;
  readonly schema: string;
  readonly name: string;
  /** Of a type: whether it is an array of it. */
  readonly isArray: boolean;
}

/** Functions, operators and types that are qualified by another schema than pg_catalog. */
export async function foreignNames(
  fragment: 'expression' | 'query' | 'type',
  text: string,
): Promise<readonly ForeignName[]> {
  const { tree } = await fragmentTree(fragment, text);
  const found: ForeignName[] = [];
  walk(fragment === 'type' ? { TypeName: tree } : tree, (node) => {
    const named = objectNamed(node);
    const schema = foreignSchema(named?.parts ?? []);
    if (named === null || schema === null) return;
    const isArray = list(node.body, 'arrayBounds').length > 0;
    found.push({ kind: named.kind, schema, name: named.parts.at(-1) ?? '', isArray });
  });
  return found;
}

/** The schema of a qualified name, unless it is pg_catalog; of no name (an ORDER BY without USING), none. */
export const foreignSchema = (name: readonly string[]): string | null =>
  name.length < 2 || (name.length === 2 && name[0] === 'pg_catalog') ? null : name.slice(0, -1).join('.');
