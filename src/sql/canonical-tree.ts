import { canonicalConstant, plainConstant, stringConstant } from './canonical-literals.js';
import { type CanonicalName, canonicalName, canonicalOperator } from './canonical-names.js';
import { canonicalTypeName } from './canonical-types.js';
import type { NameResolver } from './names.js';
import type { Node } from './parser.js';
import { as, child, isNode, list, names, nodeIn, text, unwrap } from './tree.js';

/**
 * A node in its canonical form. `textual` says that a bare string constant in this place can only be text, so that its
 * cast to text says nothing: `a = 'x'` is `a = 'x'::text` wherever both are valid, but `a || '5'` is not
 * `a || '5'::text` (jsonb and arrays concatenate otherwise).
 */
export function canonicalTree(node: unknown, resolver: NameResolver, textual: boolean): unknown {
  const kinded = unwrap(node);
  if (kinded === null) return generic(node, resolver);
  const { kind, body } = kinded;
  const each = (field: string, inside: boolean) =>
    list(body, field).map((item) => canonicalTree(item, resolver, inside));
  const one = (field: string, inside: boolean) =>
    body[field] === undefined ? null : canonicalTree(body[field], resolver, inside);
  switch (kind) {
    case 'A_Const':
      return canonicalConstant(body);
    case 'String':
      return text(body, 'sval') ?? '';
    case 'ColumnRef':
      return ['column', ...each('fields', false)];
    case 'TypeCast':
      return canonicalCast(body, resolver, textual);
    case 'BoolExpr':
      return canonicalBoolean(body, resolver);
    case 'A_Expr':
      return canonicalOperation(body, resolver);
    case 'FuncCall':
      return canonicalCall(body, resolver);
    case 'SQLValueFunction':
      return body.op === 'SVFOP_CURRENT_TIMESTAMP' ? NOW : ['value', body.op, body.typmod ?? 0];
    case 'CoalesceExpr':
      return ['coalesce', ...each('args', true)];
    case 'MinMaxExpr':
      return [body.op, ...each('args', true)];
    case 'CaseExpr':
      return ['case', one('arg', true), each('args', true), one('defresult', true)];
    case 'CaseWhen':
      return [one('expr', true), one('result', true)];
    case 'NullTest':
      return [body.nulltesttype, one('arg', true)];
    case 'A_ArrayExpr':
      return ['array', ...each('elements', true)];
    case 'CollateClause':
      return ['collate', canonicalName('collation', names(list(body, 'collname')), resolver), one('arg', true)];
    default:
      return [kind, generic(body, resolver)];
  }
}

const NOW = ['now'];

/** Every field of a node that no rule knows, but for where it stood. */
function generic(value: unknown, resolver: NameResolver): unknown {
  if (Array.isArray(value)) return value.map((item) => canonicalTree(item, resolver, false));
  if (!isNode(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([field]) => !/^(?:location|stmt_location|stmt_len)$/u.test(field))
      .map(([field, inner]) => [field, inField(field, inner, resolver)]),
  );
}

/** Fields whose nodes stand bare are given their kind first. */
function inField(field: string, value: unknown, resolver: NameResolver): unknown {
  if (field === 'typeName' && isNode(value)) {
    return canonicalTypeName(value, resolver, (node) => canonicalTree(node, resolver, false));
  }
  const node = unwrap(value) === null ? nodeIn(field, value) : null;
  return node === null
    ? canonicalTree(value, resolver, false)
    : canonicalTree({ [node.kind]: node.body }, resolver, false);
}

function canonicalCast(body: Node, resolver: NameResolver, textual: boolean): unknown {
  const typeName = child(body, 'typeName') ?? {};
  const type = inField('typeName', typeName, resolver);
  const argument = body.arg;
  const string = stringConstant(argument);
  if (string !== null) {
    if (type === 'text' && textual) return ['string', string];
    const plain = plainConstant(string, type);
    if (plain !== null) return plain;
  }
  const constant = as('A_Const', argument);
  if (type === 'int4' && constant !== null && 'ival' in constant) return canonicalConstant(constant);
  const elements = type !== null && isTextArray(type) ? stringElements(argument, resolver) : null;
  if (elements !== null) return ['array', ...elements.map((value) => ['string', value])];
  return ['cast', type, canonicalTree(argument, resolver, false)];
}

const isTextArray = (type: unknown): boolean =>
  isNode(type) && type.name === 'text' && type.array === true && list(type, 'modifiers').length === 0;

/** The values of `ARRAY['a', 'b'::text, 'c'::varchar]`, or null when it is anything else (or empty). */
function stringElements(node: unknown, resolver: NameResolver): readonly string[] | null {
  const array = as('A_ArrayExpr', node);
  const elements = array === null ? [] : list(array, 'elements');
  const values = elements.map((element) => {
    const cast = as('TypeCast', element);
    if (cast === null) return stringConstant(element);
    const type = inField('typeName', cast.typeName, resolver);
    return type === 'text' || type === 'varchar' ? stringConstant(cast.arg) : null;
  });
  return values.length > 0 && values.every((value) => value !== null) ? values : null;
}

/** AND and OR are associative and commutative. */
function canonicalBoolean(body: Node, resolver: NameResolver): unknown {
  const operator = text(body, 'boolop') ?? '';
  const terms = list(body, 'args').map((term) => canonicalTree(term, resolver, true));
  if (operator !== 'NOT_EXPR') return junction(operator === 'AND_EXPR' ? 'and' : 'or', terms);
  const [term] = terms;
  // NOT (a IN (…)) is a NOT IN (…), with NULL as well.
  if (Array.isArray(term) && term[0] === 'quantified' && term[1] === 'any' && term[2] === '=')
    return ['quantified', 'all', '<>', ...term.slice(3)];
  return ['not', ...terms];
}

function junction(word: 'and' | 'or', terms: readonly unknown[]): unknown {
  const flat = terms.flatMap((term): readonly unknown[] =>
    Array.isArray(term) && term[0] === word ? term.slice(1) : [term],
  );
  return [word, ...sorted(flat)];
}

const sorted = (terms: readonly unknown[]): readonly unknown[] =>
  terms
    .map((term) => [JSON.stringify(term), term] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, term]) => term);

const COMMUTATIVE = new Set<CanonicalName>(['=', '<>', '+', '*']);

/** Operators for which a bare string on one side is text whenever text is what the other form says. */
const TEXTUAL = new Set<CanonicalName>([
  '=',
  '<>',
  '<',
  '>',
  '<=',
  '>=',
  '~~',
  '!~~',
  '~~*',
  '!~~*',
  '~',
  '!~',
  '~*',
  '!~*',
  '->',
  '->>',
]);

function canonicalOperation(body: Node, resolver: NameResolver): unknown {
  const operator = canonicalOperator(names(list(body, 'name')));
  const textual = TEXTUAL.has(operator);
  const side = (node: unknown) => canonicalTree(node, resolver, textual);
  const [left, right] = [body.lexpr, body.rexpr];
  switch (body.kind) {
    case 'AEXPR_OP':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      return binary(operator, left === undefined ? null : [side(left)], side(right));
    case 'AEXPR_IN':
      return membership(operator, left, list(as('List', right) ?? {}, 'items'), resolver);
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return anyOrAll(body.kind === 'AEXPR_OP_ANY' ? 'any' : 'all', operator, left, right, resolver);
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN': {
      const [low, high] = list(as('List', right) ?? {}, 'items');
      const inside = body.kind === 'AEXPR_BETWEEN';
      const value = canonicalTree(left, resolver, true);
      return junction(inside ? 'and' : 'or', [
        binary(inside ? '>=' : '<', [value], canonicalTree(low, resolver, true)),
        binary(inside ? '<=' : '>', [value], canonicalTree(high, resolver, true)),
      ]);
    }
    default:
      return [body.kind, operator, left === undefined ? null : side(left), side(right)];
  }
}

function binary(operator: CanonicalName, left: readonly [unknown] | null, right: unknown): unknown {
  if (left === null) return ['prefix', operator, right];
  const sides = [...left, right];
  return ['op', operator, ...(COMMUTATIVE.has(operator) ? sorted(sides) : sides)];
}

/** `a IN (…)` is `a = ANY (ARRAY[…])`; of one value, PostgreSQL makes `a = value`. Rows are left as they are. */
function membership(
  operator: CanonicalName,
  left: unknown,
  items: readonly unknown[],
  resolver: NameResolver,
): unknown {
  const value = canonicalTree(left, resolver, true);
  const values = items.map((item) => canonicalTree(item, resolver, true));
  if (as('RowExpr', left) !== null) return ['in', operator, value, values];
  if (values.length === 1) return binary(operator, [value], values[0]);
  return ['quantified', operator === '<>' ? 'all' : 'any', operator, value, ['array', ...sorted(values)]];
}

function anyOrAll(
  word: 'any' | 'all',
  operator: CanonicalName,
  left: unknown,
  right: unknown,
  resolver: NameResolver,
): unknown {
  const value = canonicalTree(left, resolver, TEXTUAL.has(operator));
  const array = canonicalTree(right, resolver, false);
  const listed = Array.isArray(array) && array[0] === 'array';
  if (!listed) return ['quantified', word, operator, value, array];
  const values = array.slice(1);
  // Of one constant it is the bare operation. Of anything else it may be not: an array inside counts by its elements.
  const [only] = values;
  if (values.length === 1 && Array.isArray(only) && ['string', 'int', 'number', 'bits'].includes(only[0]))
    return binary(operator, [value], only);
  return ['quantified', word, operator, value, ['array', ...sorted(values)]];
}

const CALL_FIELDS = new Set(['funcname', 'args', 'funcformat', 'location']);

function canonicalCall(body: Node, resolver: NameResolver): unknown {
  const name = canonicalName('function', names(list(body, 'funcname')), resolver);
  const args = list(body, 'args').map((argument) => canonicalTree(argument, resolver, true));
  if (args.length === 0 && (name === 'now' || name === 'transaction_timestamp')) return NOW;
  const rest = Object.fromEntries(Object.entries(body).filter(([field]) => !CALL_FIELDS.has(field)));
  return Object.keys(rest).length === 0 ? ['call', name, ...args] : ['call', name, ...args, generic(rest, resolver)];
}
