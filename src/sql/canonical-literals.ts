import type { Node } from './parser.js';
import { as, child, text } from './tree.js';

/** A constant in a canonical form. Integers and decimals are told apart: they differ in type. */
export type CanonicalConstant = readonly ['int' | 'number' | 'string' | 'bits', string | number] | boolean | null;

/** An A_Const. The tree leaves out false and empty strings. */
export function canonicalConstant(body: Node): CanonicalConstant {
  if (body.isnull === true) return null;
  const integer = child(body, 'ival');
  if (integer !== null) return ['int', typeof integer.ival === 'number' ? integer.ival : 0];
  const number = child(body, 'fval');
  if (number !== null) return ['number', text(number, 'fval') ?? ''];
  const boolean = child(body, 'boolval');
  if (boolean !== null) return boolean.boolval === true;
  const bits = child(body, 'bsval');
  if (bits !== null) return ['bits', text(bits, 'bsval') ?? ''];
  return ['string', text(child(body, 'sval') ?? {}, 'sval') ?? ''];
}

/** The content of a string constant, or null for any other node. */
export function stringConstant(node: unknown): string | null {
  const body = as('A_Const', node);
  const value = body === null ? null : canonicalConstant(body);
  return Array.isArray(value) && value[0] === 'string' ? String(value[1]) : null;
}

/**
 * A string constant with a cast that PostgreSQL writes for a constant which has a plain spelling: `'-1'::integer` is -1,
 * `'-1.5'::numeric` is -1.5, `'99999999999'::bigint` is 99999999999. Null where the type would be another: an integer
 * beyond 32 bits is a bigint, a number with a point a numeric.
 */
export function plainConstant(value: string, type: unknown): CanonicalConstant | null {
  if (type === 'int4' && /^(?:0|-?[1-9]\d{0,9})$/u.test(value)) {
    const number = Number(value);
    return number >= -(2 ** 31) && number < 2 ** 31 ? ['int', number] : null;
  }
  if (type === 'int8' && /^-?[1-9]\d{9,18}$/u.test(value)) {
    const number = BigInt(value);
    const wide = number > 2n ** 31n - 1n || number < -(2n ** 31n);
    return wide && number < 2n ** 63n && number >= -(2n ** 63n) ? ['number', value] : null;
  }
  return type === 'numeric' && /^-?(?:0|[1-9]\d*)\.\d+$/u.test(value) ? ['number', value] : null;
}
