import { type CanonicalName, canonicalName } from './canonical-names.js';
import type { NameResolver } from './names.js';
import type { Node } from './parser.js';
import { as, child, list, names, text } from './tree.js';

/** A type in a canonical form: its name alone, or with modifiers and array dimensions. */
export type CanonicalType =
  | CanonicalName
  | { readonly name: CanonicalName; readonly modifiers: readonly unknown[]; readonly array: boolean };

/**
 * A TypeName. The parser has turned SQL's spellings into pg_catalog's names already. PostgreSQL keeps neither the bounds
 * of an array type nor the number of its dimensions.
 */
export function canonicalTypeName(
  body: Node,
  resolver: NameResolver,
  canonical: (node: unknown) => unknown,
): CanonicalType {
  const name = canonicalName('type', names(list(body, 'names')), resolver);
  const array = list(body, 'arrayBounds').length > 0;
  const given = list(body, 'typmods').map((modifier) => modifierText(modifier) ?? canonical(modifier));
  // numeric(10) is numeric(10,0).
  const modifiers = name === 'numeric' && given.length === 1 ? [...given, '0'] : given;
  return modifiers.length === 0 && !array ? name : { name, modifiers, array };
}

/**
 * A type reads its modifiers as text, however they are written (typenameTypeMod in PostgreSQL's parse_type.c): `t(word)`
 * is `t('word')`, and `t(2)` is `t('2')`.
 */
function modifierText(node: unknown): string | null {
  const column = as('ColumnRef', node);
  if (column !== null) return names(list(column, 'fields')).join('.');
  const constant = as('A_Const', node);
  if (constant === null) return null;
  const string = child(constant, 'sval');
  if (string !== null) return text(string, 'sval') ?? '';
  const integer = child(constant, 'ival');
  // The tree leaves out a number that is 0.
  return integer === null ? null : String(integer.ival ?? 0);
}
