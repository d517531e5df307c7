import type { NameKind, NameResolver } from './names.js';
import { TENANT_SCHEMA } from './template.js';

/** A name in a canonical form: its own for pg_catalog's, else with what it belongs to. */
export type CanonicalName = string | readonly ['ext', string, string] | readonly ['schema', ...string[]];

/**
 * What a bare or qualified name stands for: names of pg_catalog lose their schema; names of an extension become the
 * extension's, wherever it is installed; all others keep theirs.
 */
export function canonicalName(kind: NameKind, name: readonly string[], resolver: NameResolver): CanonicalName {
  const [first = '', second, ...rest] = name;
  if (rest.length > 0) return ['schema', ...name];
  const own = second ?? first;
  const schema = second === undefined ? resolver.schemaOf(kind, own) : first;
  if (schema === null || schema === 'pg_catalog') return own;
  // A tenant's own schema is an identity of its own, and never an extension's.
  const extension = schema === TENANT_SCHEMA ? null : resolver.extensionOf(kind, schema, own);
  return extension === null ? ['schema', schema, own] : ['ext', extension, own];
}

/** An operator: of pg_catalog (and so bare), or with its schema. */
export const canonicalOperator = (name: readonly string[]): CanonicalName => {
  const [first = '', second] = name;
  if (second === undefined) return first;
  return first === 'pg_catalog' && name.length === 2 ? second : ['schema', ...name];
};
