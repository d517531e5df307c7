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

/**
 * The same of a default, which becomes a value of its column's type: a string constant says nothing new by a cast to that type.
 * The server is not asked everywhere: of an array of domains, or a row, it would check while it plans.
 */
export async function canonicalDefault(text: string, type: string, names: NameResolver): Promise<string> {
  const canonical = await canonicalExpression(text, names);
  const tree: unknown = JSON.parse(canonical);
  const [kind, to, value] = Array.isArray(tree) ? tree : [];
  const says = kind !== 'cast' || !Array.isArray(value) || value[0] !== 'string';
  return says || stable(to) !== (await canonicalType(type, names)) ? canonical : stable(value);
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
