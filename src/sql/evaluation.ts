import { fragmentTree } from './fragments.js';
import { foreignSchema } from './object-names.js';
import type { Node } from './parser.js';
import { as, child, isNode, list, names, unwrap } from './tree.js';

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
