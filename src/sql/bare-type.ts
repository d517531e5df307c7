import { fragmentTree } from './fragments.js';
import { list, names } from './tree.js';

/** A type's own name, without modifiers; schema pg_catalog for a bare one. */
export interface BareType {
  readonly schema: string;
  readonly name: string;
  readonly array: boolean;
}

/** Null for a name of more parts than a schema and a type. */
export async function bareType(type: string): Promise<BareType | null> {
  const { tree } = await fragmentTree('type', type);
  const [name = '', schema = 'pg_catalog', ...more] = [...names(list(tree, 'names'))].reverse();
  return more.length > 0 ? null : { schema, name, array: list(tree, 'arrayBounds').length > 0 };
}
