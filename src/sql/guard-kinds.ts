import type { Node } from './parser.js';
import { TENANT_SCHEMA } from './template.js';
import { as, child, list, names, text, unwrap, walk } from './tree.js';

/** Why apply may not send a statement of this kind, or null. Everything that is not listed is refused. */
export function refusedStatement(statement: Node): string | null {
  const top = unwrap(statement);
  if (top === null) return 'it is empty';
  const rule = RULES[top.kind];
  if (rule === undefined) return `${top.kind} is not allowed`;
  return rule(top.body) ?? hiddenStatement(statement);
}

/** Why a count of rows may not be sent, or null. */
export function refusedCount(statement: Node, also: string | null): string | null {
  const top = unwrap(statement);
  if (top?.kind !== 'SelectStmt') return 'it is no SELECT';
  const [target, ...others] = list(top.body, 'targetList');
  const value = as('ResTarget', target)?.val;
  const call = as('FuncCall', as('TypeCast', value)?.arg ?? value);
  const counts = call !== null && 'agg_star' in call && names(list(call, 'funcname')).join('.') === 'count';
  if (others.length > 0 || !counts) return 'it gives more than a count';
  let found = hiddenStatement(statement);
  walk(statement, ({ kind, body }) => {
    if (kind === 'RangeVar' && (also === null || text(body, 'schemaname') !== also)) found ??= notOwn(body);
    if (kind === 'RangeFunction' || kind === 'WithClause') found ??= `${kind} is not allowed`;
  });
  return found;
}

/** A statement inside the statement that is more than a SELECT, and whatever would reach further than what is named. */
function hiddenStatement(statement: Node): string | null {
  const top = unwrap(statement)?.body;
  let found: string | null = null;
  walk(statement, ({ kind, body }) => {
    if (kind.endsWith('Stmt') && kind !== 'SelectStmt' && body !== top) found ??= `${kind} inside it is not allowed`;
    if (body.behavior === 'DROP_CASCADE') found ??= 'CASCADE is not allowed';
    if (kind === 'LockingClause') found ??= 'a locking clause is not allowed';
    if (kind === 'SelectStmt' && 'intoClause' in body) found ??= 'SELECT INTO is not allowed';
    if (kind === 'ParamRef') found ??= 'it has a parameter';
  });
  return found;
}

const notOwn = (relation: Node | null): string | null =>
  text(relation ?? {}, 'schemaname') === TENANT_SCHEMA
    ? null
    : 'its target is not qualified with the schema of the tenant';

const ownRelation = (body: Node): string | null => notOwn(child(body, 'relation'));

const oneOf = (value: unknown, allowed: readonly string[]): string | null =>
  typeof value === 'string' && allowed.includes(value) ? null : `${String(value)} is not allowed`;

const TABLE_COMMANDS = [
  'AT_AddColumn',
  'AT_ColumnDefault',
  'AT_DropNotNull',
  'AT_SetNotNull',
  'AT_DropExpression',
  'AT_DropColumn',
  'AT_AddConstraint',
  'AT_AlterConstraint',
  'AT_ValidateConstraint',
  'AT_DropConstraint',
  'AT_AlterColumnType',
  'AT_ChangeOwner',
  'AT_SetLogged',
  'AT_SetUnLogged',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
  'AT_AddIdentity',
  'AT_SetIdentity',
  'AT_DropIdentity',
];

const RULES: Readonly<Record<string, (body: Node) => string | null>> = {
  CreateStmt: ownRelation,
  IndexStmt: ownRelation,
  InsertStmt: ownRelation,
  UpdateStmt: ownRelation,
  CreateTableAsStmt: (body) =>
    oneOf(body.objtype, ['OBJECT_MATVIEW']) ?? notOwn(child(child(body, 'into') ?? {}, 'rel')),
  CreateSchemaStmt: (body) =>
    body.schemaname === TENANT_SCHEMA && !('schemaElts' in body)
      ? null
      : 'only the schema of the tenant is made, empty',
  CreateExtensionStmt: () => null,
  AlterTableStmt: (body) =>
    oneOf(body.objtype, ['OBJECT_TABLE', 'OBJECT_INDEX', 'OBJECT_MATVIEW']) ??
    ownRelation(body) ??
    first(list(body, 'cmds'), (command) => oneOf(as('AlterTableCmd', command)?.subtype, TABLE_COMMANDS)),
  RenameStmt: (body) =>
    oneOf(body.renameType, [
      'OBJECT_TABLE',
      'OBJECT_INDEX',
      'OBJECT_MATVIEW',
      'OBJECT_COLUMN',
      'OBJECT_TABCONSTRAINT',
    ]) ?? ownRelation(body),
  AlterOwnerStmt: (body) =>
    oneOf(body.objectType, ['OBJECT_SCHEMA']) ??
    (names([body.object])[0] === TENANT_SCHEMA ? null : 'only the schema of the tenant gets an owner'),
  DropStmt: (body) =>
    oneOf(body.removeType, ['OBJECT_INDEX', 'OBJECT_MATVIEW']) ??
    first(list(body, 'objects'), (object) => {
      const name = names(list(as('List', object) ?? {}, 'items'));
      return name.length === 2 && name[0] === TENANT_SCHEMA
        ? null
        : `${name.join('.')} is not qualified with the schema of the tenant`;
    }),
  SelectStmt: sequenceSetting,
};

const SEQUENCE_FUNCTIONS = ['setval', 'max', 'min'];

/** The one SELECT that apply sends: setval for an identity over numbers that exist. */
function sequenceSetting(body: Node): string | null {
  const [target, ...others] = list(body, 'targetList');
  const call = as('FuncCall', as('ResTarget', target)?.val);
  const called = call === null ? null : names(list(call, 'funcname'));
  if (others.length > 0 || called?.at(-1) !== 'setval') return 'a SELECT may only call setval';
  let found: string | null = null;
  walk(body, (node) => {
    if (node.kind !== 'FuncCall') return;
    const name = names(list(node.body, 'funcname'));
    const own = name.length === 1 || name[0] === 'pg_catalog';
    if (!own || !SEQUENCE_FUNCTIONS.includes(name.at(-1) ?? '')) found ??= `a SELECT may not call ${name.join('.')}`;
  });
  return found;
}

function first<T>(values: readonly T[], rule: (value: T) => string | null): string | null {
  for (const value of values) {
    const reason = rule(value);
    if (reason !== null) return reason;
  }
  return null;
}
