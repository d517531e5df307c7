import { canonicalTree } from './canonical-tree.js';
import { canonicalTypeName } from './canonical-types.js';
import { fragmentTree } from './fragments.js';
import type { NameResolver } from './names.js';

/**
 * An expression as text such that equal texts mean the same; texts that differ may mean the same too, which the server
 * has to judge. Takes what a human wrote and what the server deparsed (with the tenant's schema replaced).
 * @throws {TrueupError} FRAGMENT_REFUSED when it is not one expression.
 */
export async function canonicalExpression(text: string, names: NameResolver): Promise<string> {
  const { tree } = await fragmentTree('expression', text);
  return stable(canonicalTree(tree, names, true));
}

/** A type as text such that equal texts mean the same. */
export async function canonicalType(text: string, names: NameResolver): Promise<string> {
  const { tree } = await fragmentTree('type', text);
  return stable(canonicalTypeName(tree, names, (node) => canonicalTree(node, names, false)));
}

/** JSON with the keys of objects in order. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
