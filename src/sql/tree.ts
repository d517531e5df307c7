/** A node of the parser's tree: loosely typed, read only through the accessors below. */
export type Node = Readonly<Record<string, unknown>>;

/** A node with the name that stands around it: `{ FuncCall: {…} }` is kind `FuncCall` and that body. */
export interface KindedNode {
  readonly kind: string;
  readonly body: Node;
}

/** The tree leaves out numbers that are 0, so a missing location is offset 0; an unknown one is -1. */
export const locationOf = (body: Node): number => (typeof body.location === 'number' ? body.location : 0);

/** Whether a value is an object: a node, or what wraps one. */
export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The kind and body of a wrapped node, or null for anything else. Kinds begin with a capital, fields do not. */
export function unwrap(value: unknown): KindedNode | null {
  if (!isNode(value)) return null;
  const [kind, ...others] = Object.keys(value);
  if (kind === undefined || others.length > 0 || !/^[A-Z]/u.test(kind)) return null;
  const body = value[kind];
  return isNode(body) ? { kind, body } : null;
}

/** The body of `value` when it is of that kind, else null. */
export function as(kind: string, value: unknown): Node | null {
  const node = unwrap(value);
  return node?.kind === kind ? node.body : null;
}

/** A field that is an object. */
export const child = (body: Node, field: string): Node | null => {
  const value = body[field];
  return isNode(value) ? value : null;
};

/** A field that is a list; empty when it is missing. */
export const list = (body: Node, field: string): readonly unknown[] => {
  const value = body[field];
  return Array.isArray(value) ? value : [];
};

/** A field that is text, or null. */
export const text = (body: Node, field: string): string | null => {
  const value = body[field];
  return typeof value === 'string' ? value : null;
};

/** A qualified name: the strings of a list of String nodes. */
export const names = (values: readonly unknown[]): readonly string[] =>
  values.flatMap((value) => {
    const body = as('String', value);
    return body === null ? [] : [text(body, 'sval') ?? ''];
  });

/** A name of pg_catalog, with its schema or without; null for any other. */
export function ownName(parts: readonly unknown[]): string | null {
  const [name, schema = 'pg_catalog'] = [...names(parts)].reverse();
  return name !== undefined && schema === 'pg_catalog' ? name : null;
}

/** Fields whose object stands without its kind around it. */
const KIND_OF_FIELD: Readonly<Record<string, string>> = {
  typeName: 'TypeName',
  relation: 'RangeVar',
  rel: 'RangeVar',
  pktable: 'RangeVar',
  larg: 'SelectStmt',
  rarg: 'SelectStmt',
  intoClause: 'IntoClause',
  into: 'IntoClause',
  over: 'WindowDef',
  withClause: 'WithClause',
  collClause: 'CollateClause',
};

/** The kind of an object that stands in `field`, and its body, whether it is wrapped or not. */
export function nodeIn(field: string, value: unknown): KindedNode | null {
  const wrapped = unwrap(value);
  if (wrapped !== null) return wrapped;
  const kind = KIND_OF_FIELD[field];
  return kind !== undefined && isNode(value) ? { kind, body: value } : null;
}

/** Calls `visit` with every node below `value`, itself included, parents first. */
export function walk(value: unknown, visit: (node: KindedNode) => void, field = ''): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit, field);
    return;
  }
  if (!isNode(value)) return;
  const node = nodeIn(field, value);
  if (node !== null) visit(node);
  for (const [key, inner] of Object.entries(node?.body ?? value)) walk(inner, visit, key);
}
