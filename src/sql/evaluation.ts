import { fragmentTree } from './fragments.js';
import { foreignSchema } from './object-names.js';
import type { Node } from './parser.js';
import { as, child, isNode, list, names, text as textOf, unwrap, walk } from './tree.js';

/** A function as an expression calls it. */
export interface CalledFunction {
  readonly schema: string | null;
  readonly name: string;
}

/** Every function that an expression calls by name, sorted and once each. Operators and casts are not among them. */
export async function calledFunctions(expression: string): Promise<readonly CalledFunction[]> {
  const { tree } = await fragmentTree('expression', expression);
  const found = new Map<string, CalledFunction>();
  walk(tree, ({ kind, body }) => {
    if (kind !== 'FuncCall') return;
    const called = calledBy(body);
    found.set(JSON.stringify(called), called);
  });
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, called]) => called);
}

/** Every call of a function in a query, with the number of its arguments; each once. */
export async function calledWithArguments(
  query: string,
): Promise<readonly (CalledFunction & { readonly count: number })[]> {
  const { tree } = await fragmentTree('query', query);
  const found = new Map<string, CalledFunction & { readonly count: number }>();
  walk({ SelectStmt: tree }, ({ kind, body }) => {
    if (kind !== 'FuncCall') return;
    const called = { ...calledBy(body), count: list(body, 'args').length };
    found.set(JSON.stringify(called), called);
  });
  return [...found.values()];
}

/** @param call a FuncCall */
function calledBy(call: Node): CalledFunction {
  const name = names(list(call, 'funcname'));
  return { schema: name.length > 1 ? name.slice(0, -1).join('.') : null, name: name.at(-1) ?? '' };
}

/**
 * Why a plan must not evaluate this expression on a server, or null. Only kinds of nodes that are listed may occur: what
 * a later grammar adds is refused. Whether the functions called are immutable, the server's catalog knows.
 */
export async function evaluationProblem(expression: string): Promise<string | null> {
  const { tree } = await fragmentTree('expression', expression);
  return refusalOf(tree);
}

const PLAIN = new Set([
  'ColumnRef',
  'A_Const',
  'A_Expr',
  'BoolExpr',
  'NullTest',
  'BooleanTest',
  'CoalesceExpr',
  'MinMaxExpr',
  'CaseExpr',
  'CaseWhen',
  'A_ArrayExpr',
  'List',
  'String',
  'Integer',
  'TypeCast',
  'FuncCall',
]);

function refusalOf(value: unknown): string | null {
  if (Array.isArray(value)) return firstOf(value);
  if (!isNode(value)) return null;
  const node = unwrap(value);
  if (node === null) return firstOf(Object.values(value));
  return PLAIN.has(node.kind)
    ? (ownRefusal(node.kind, node.body) ?? firstOf(Object.values(node.body)))
    : `${LABELS[node.kind] ?? node.kind} is not allowed where a plan evaluates an expression`;
}

const LABELS: Readonly<Record<string, string>> = {
  SQLValueFunction: 'a value that depends on the session (current_user, current_date …)',
  SubLink: 'a sub-select',
  A_Star: '"*"',
};

function firstOf(values: readonly unknown[]): string | null {
  for (const value of values) {
    const refusal = refusalOf(value);
    if (refusal !== null) return refusal;
  }
  return null;
}

function ownRefusal(kind: string, body: Node): string | null {
  switch (kind) {
    case 'A_Expr': {
      const name = names(list(body, 'name'));
      return name.length === 1 || foreignSchema(name) === null
        ? null
        : `the operator ${name.join('.')} is not PostgreSQL's own`;
    }
    case 'FuncCall': {
      const name = names(list(body, 'funcname'));
      if (foreignSchema(name) !== null) return `the function ${name.join('.')} is not of pg_catalog`;
      const extras = Object.keys(body).filter(
        (field) => !['funcname', 'args', 'funcformat', 'location'].includes(field),
      );
      return extras.length === 0 ? null : `this way of calling ${name.join('.')} is not allowed`;
    }
    case 'TypeCast': {
      const type = child(body, 'typeName');
      const name = type === null ? [] : names(list(type, 'names'));
      if (foreignSchema(name) !== null) return `the type ${name.join('.')} is not of pg_catalog`;
      return /^_*reg/u.test(name.at(-1) ?? '') ? `a cast to ${name.at(-1)} looks up the catalog` : null;
    }
    case 'ColumnRef':
      return list(body, 'fields').some((field) => as('String', field) === null) ? '"*" is no single value' : null;
    default:
      return null;
  }
}

/** Unqualified column names that an expression references, sorted and once each. */
export async function columnsOf(expression: string): Promise<readonly string[]> {
  const { tree } = await fragmentTree('expression', expression);
  const found = new Set<string>();
  const modifiers = new Set<unknown>();
  walk(tree, ({ kind, body }) => {
    // A word that modifies a type, as in `x::t(word)`, parses as a column and is none.
    if (kind === 'TypeName') for (const word of list(body, 'typmods')) modifiers.add(as('ColumnRef', word));
    if (kind !== 'ColumnRef' || modifiers.has(body)) return;
    const fields = list(body, 'fields');
    const [only] = fields;
    const column = fields.length === 1 ? as('String', only) : null;
    if (column !== null) found.add(textOf(column, 'sval') ?? '');
  });
  return [...found].sort();
}

/** A type's own name, without modifiers; schema pg_catalog for a bare one. */
export interface BareType {
  readonly schema: string;
  readonly name: string;
  readonly array: boolean;
}

/** Null for what is no name of a type: `t.c%TYPE`. */
export async function bareType(type: string): Promise<BareType | null> {
  const { tree } = await fragmentTree('type', type);
  const body = unwrap(tree)?.body ?? tree;
  if (!isNode(body) || body.pct_type === true) return null;
  const [name = '', schema = 'pg_catalog', ...more] = [...names(list(body, 'names'))].reverse();
  return more.length > 0 ? null : { schema, name, array: list(body, 'arrayBounds').length > 0 };
}
