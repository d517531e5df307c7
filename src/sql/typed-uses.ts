import { fragmentTree } from './fragments.js';
import { as, child, list, type Node, names, ownName, text, walk } from './tree.js';

/** A function, operator or cast of pg_catalog that an expression uses, and over which of its types. */
export interface TypedUse {
  readonly kind: 'function' | 'operator' | 'cast' | 'value';
  /** Of a cast the type that it is to; of a value such as CURRENT_DATE its own. */
  readonly name: string;
  /** By pg_catalog's names of types; `unknown` for a text without one, null where it cannot be told. */
  readonly types: readonly (string | null)[];
}

/** What an expression uses of pg_catalog, node by node. What is told of a type, only columns and casts tell. */
export async function typedUses(
  expression: string,
  columns: readonly { readonly name: string; readonly type: string }[],
): Promise<readonly TypedUse[]> {
  const { tree } = await fragmentTree('expression', expression);
  const types = new Map<string, string | null>();
  for (const { name, type } of columns) types.set(name, ownType((await fragmentTree('type', type)).tree));
  const typeOf = (value: unknown): string | null => {
    const column = as('ColumnRef', value);
    if (column !== null) return types.get(names(list(column, 'fields')).join('.')) ?? null;
    if (child(as('A_Const', value) ?? {}, 'sval') !== null) return 'unknown';
    return ownType(child(as('TypeCast', value) ?? {}, 'typeName') ?? {});
  };
  const found: TypedUse[] = [];
  const use = (kind: TypedUse['kind'], name: string | null, operands: readonly unknown[]) => {
    if (name !== null && !operands.some(isNull)) found.push({ kind, name, types: operands.map(typeOf) });
  };
  walk(tree, ({ kind, body }) => {
    if (kind === 'FuncCall') use('function', ownName(list(body, 'funcname')), list(body, 'args'));
    if (kind === 'A_Expr' && body.kind === 'AEXPR_OP')
      use('operator', ownName(list(body, 'name')), 'lexpr' in body ? [body.lexpr, body.rexpr] : [body.rexpr]);
    if (kind === 'TypeCast') use('cast', ownType(child(body, 'typeName') ?? {}), [body.arg]);
    if (kind === 'SQLValueFunction') use('value', text(body, 'op')?.replace(/^SVFOP_|_N$/gu, '') ?? null, []);
  });
  return found;
}

/** Whether it is NULL, of whichever type: PostgreSQL takes what is made of that for NULL, and calls nothing. */
function isNull(value: unknown): boolean {
  const cast = as('TypeCast', value);
  return cast === null ? as('A_Const', value)?.isnull === true : isNull(cast.arg);
}

/** @param type a TypeName; null for an array */
const ownType = (type: Node): string | null => ('arrayBounds' in type ? null : ownName(list(type, 'names')));
