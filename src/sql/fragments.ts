import { TrueupError } from '../trueup-error.js';
import { textProblem } from './fragment-text.js';
import { type Node, parseSql } from './parser.js';
import { as, child, list, locationOf, names, text as textOf, unwrap, walk } from './tree.js';

/** What a piece of SQL of a desired state is. */
export type FragmentKind = 'type' | 'expression' | 'query' | 'operator-class';

/** Why a text is not one fragment of its kind. `position` is a 0-based offset into it, in UTF-16 units. */
export interface FragmentProblem {
  readonly message: string;
  readonly position: number;
}

/** Null when `text` is exactly one type, expression, SELECT or name of an operator class, and nothing else. */
export async function checkFragment(kind: FragmentKind, text: string): Promise<FragmentProblem | null> {
  const read = await readFragment(kind, text);
  return read.ok ? contentProblem(kind, read, text) : read.problem;
}

/** A fragment's tree, and how far its locations (UTF-8 bytes) are shifted by the wrapping. */
export interface FragmentTree {
  readonly ok: true;
  /** A TypeName body; the expression; the SelectStmt body; the list of names as `{ names: […] }`. */
  readonly tree: Node;
  readonly shift: number;
}

type FragmentRead = FragmentTree | { readonly ok: false; readonly problem: FragmentProblem };

const WRAPPING: Readonly<Record<FragmentKind, readonly [before: string, after: string]>> = {
  type: ['SELECT CAST(NULL AS ', ')'],
  expression: ['SELECT (', ')'],
  query: ['', ''],
  'operator-class': ['CREATE INDEX ON t (c ', ')'],
};

const KNOWN_READS = 2_000;
const reads = new Map<string, Promise<FragmentRead>>();

/**
 * Parses a fragment in its wrapping, and proves that the whole of it stayed inside. Answers are kept: the same few
 * fragments are asked about by every check of a desired state and for every table that is compared with it.
 */
export function readFragment(kind: FragmentKind, text: string): Promise<FragmentRead> {
  const key = `${kind} ${text}`;
  const known = reads.get(key);
  if (known !== undefined) return known;
  const read = parseFragment(kind, text);
  if (reads.size >= KNOWN_READS) reads.clear();
  reads.set(key, read);
  // What the text did not cause may not come again.
  read.catch(() => reads.delete(key));
  return read;
}

async function parseFragment(kind: FragmentKind, text: string): Promise<FragmentRead> {
  const fail = (problem: FragmentProblem): FragmentRead => ({ ok: false, problem });
  const bad = textProblem(kind, text);
  if (bad !== null) return fail(bad);
  const [before, after] = WRAPPING[kind];
  const parsed = await parseSql(`${before}${text}${after}`);
  if (!parsed.ok) {
    const position = Math.min(Math.max(parsed.position - before.length, 0), text.length);
    return fail({ message: parsed.message, position });
  }
  const [statement] = parsed.statements;
  const tree = statement === undefined || parsed.statements.length > 1 ? null : UNWRAP[kind](statement);
  if (tree === null) return fail({ message: 'there is more than one, or something else', position: 0 });
  return { ok: true, tree, shift: before.length };
}

/** The tree of a fragment that has been checked. */
export async function fragmentTree(kind: FragmentKind, text: string): Promise<FragmentTree> {
  const read = await readFragment(kind, text);
  if (read.ok) return read;
  throw new TrueupError('FRAGMENT_REFUSED', `not one ${kind}: ${read.problem.message}`, { where: shorten(text) });
}

const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

const PLAIN_SELECT = new Set(['targetList', 'limitOption', 'op']);

function soleTarget(statement: Node): Node | null {
  const select = as('SelectStmt', statement);
  if (select === null || Object.keys(select).some((field) => !PLAIN_SELECT.has(field))) return null;
  const [target, ...others] = list(select, 'targetList');
  const body = as('ResTarget', target);
  if (body === null || others.length > 0 || 'name' in body || 'indirection' in body) return null;
  return child(body, 'val');
}

const UNWRAP: Readonly<Record<FragmentKind, (statement: Node) => Node | null>> = {
  expression: soleTarget,
  type: (statement) => {
    const cast = as('TypeCast', soleTarget(statement));
    const argument = cast === null ? null : as('A_Const', cast.arg);
    if (cast === null || argument?.isnull !== true) return null;
    const type = child(cast, 'typeName');
    return type === null || type.setof === true || type.pct_type === true ? null : type;
  },
  query: (statement) => as('SelectStmt', statement),
  'operator-class': (statement) => {
    const index = as('IndexStmt', statement);
    const [key, ...others] = index === null ? [] : list(index, 'indexParams');
    const element = as('IndexElem', key);
    if (index === null || element === null || others.length > 0 || 'whereClause' in index) return null;
    const plain = element.ordering === 'SORTBY_DEFAULT' && element.nulls_ordering === 'SORTBY_NULLS_DEFAULT';
    const opclass = list(element, 'opclass');
    if (!plain || 'opclassopts' in element || 'collation' in element) return null;
    return opclass.length === 0 || opclass.length > 2 ? null : { names: opclass };
  },
};

const SERIAL = new Set(['serial', 'serial2', 'serial4', 'serial8', 'smallserial', 'bigserial']);

/** What parses, and is refused all the same. */
function contentProblem(kind: FragmentKind, read: FragmentTree, text: string): FragmentProblem | null {
  const { tree, shift } = read;
  if (kind === 'operator-class') return null;
  if (kind === 'type') {
    const [only, ...rest] = names(list(tree, 'names'));
    if (rest.length === 0 && SERIAL.has(only ?? '')) {
      return { message: `${only} is no type: declare an integer type, and "serial: true" or "identity"`, position: 0 };
    }
    return null;
  }
  let found: FragmentProblem | null = null;
  const visit = (top: unknown, rule: (kind: string, body: Node) => string | null): void =>
    walk(top, (node) => {
      const message = found === null ? rule(node.kind, node.body) : null;
      if (message === null) return;
      found = { message, position: characterOffset(text, Math.max(locationOf(node.body) - shift, 0)) };
    });
  if (kind === 'expression') visit(tree, expressionRule);
  else if ('valuesLists' in tree) found = { message: 'VALUES is no SELECT', position: 0 };
  else visit({ SelectStmt: tree }, queryRule);
  return found;
}

const SET_RETURNING =
  /^(?:generate_series|generate_subscripts|unnest|regexp_matches|(?:regexp|string)_split_to_table|string_to_table|jsonb?_(?:array_elements(?:_text)?|each(?:_text)?|object_keys|populate_recordset|to_recordset|path_query))$/u;

function expressionRule(kind: string, body: Node): string | null {
  switch (kind) {
    case 'SubLink':
      return 'a sub-select is not allowed in an expression';
    case 'SetToDefault':
      return 'DEFAULT is no expression';
    case 'A_Star':
      return '"*" is no single value';
    case 'GroupingFunc':
      return 'GROUPING is not allowed in an expression';
    case 'ParamRef':
    case 'CurrentOfExpr':
    case 'MultiAssignRef':
      return 'not allowed in an expression';
    case 'TypeCast':
      return child(body, 'typeName')?.setof === true ? 'a cast to a set is not allowed' : null;
    case 'FuncCall': {
      if ('over' in body) return 'a window function (OVER) is not allowed in an expression';
      const aggregate = ['agg_filter', 'agg_order', 'agg_distinct', 'agg_star', 'agg_within_group'];
      if (aggregate.some((field) => field in body)) return 'an aggregate is not allowed in an expression';
      const name = names(list(body, 'funcname')).at(-1) ?? '';
      return SET_RETURNING.test(name) ? `${name} gives a set of rows, not one value` : null;
    }
    default:
      return null;
  }
}

function queryRule(kind: string, body: Node): string | null {
  if (kind === 'IntoClause') return 'SELECT INTO makes a table: only a query is allowed';
  if (kind === 'LockingClause') return 'FOR UPDATE and FOR SHARE lock rows: only a query is allowed';
  if (kind === 'ParamRef') return 'there are no parameters';
  if (kind === 'CommonTableExpr' && unwrap(body.ctequery)?.kind !== 'SelectStmt') {
    return `${textOf(body, 'ctename') ?? 'a WITH query'} changes data: only SELECT is allowed`;
  }
  return null;
}

/** The offset in UTF-16 units of a byte offset in the UTF-8 form of `text`. */
export function characterOffset(text: string, bytes: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, bytes)).length;
}
