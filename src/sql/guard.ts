import { TrueupError } from '../trueup-error.js';
import { refusedCount, refusedStatement } from './guard-kinds.js';
import { type Node, parseSql } from './parser.js';
import { namesOf } from './schema-names.js';
import { renderSql, type SqlTemplate, showSql, TENANT_SCHEMA } from './template.js';
import { as, text, walk } from './tree.js';

/**
 * The last check before a statement is sent: one statement, of a kind that apply may use, that changes nothing outside
 * the tenant's schema and names no schema but it, pg_catalog, those of declared extensions and those that the files
 * name. What fails is a bug of ours, and nothing is sent.
 * @throws {TrueupError} STATEMENT_REFUSED
 */
export async function assertStatement(
  template: SqlTemplate,
  allowed: { readonly schemas: readonly string[] },
): Promise<void> {
  const of = allowed.schemas.join('\0');
  if (passed.get(template) === of) return;
  const reason = await refusal(template, new Set([TENANT_SCHEMA, 'pg_catalog', ...allowed.schemas]));
  if (reason !== null) throw refused(template, reason);
  passed.set(template, of);
}

/** Templates that were let pass, with the schemas that they might name: tenants of a class share theirs. */
const passed = new WeakMap<SqlTemplate, string>();

const refused = (template: SqlTemplate, reason: string): TrueupError =>
  new TrueupError('STATEMENT_REFUSED', `a statement was not sent: ${reason}`, {
    where: showSql(template).slice(0, 300),
    remedy: 'this is a bug of trueup; please report it with the statement',
  });

/**
 * The same for a count of rows that stand against a statement: one SELECT of nothing but `count(*)`, over tables of the
 * tenant, and of `also`: the schema of a table that tenants share. Its expressions are those of a statement that
 * {@link assertStatement} has let pass.
 * @throws {TrueupError} STATEMENT_REFUSED
 */
export async function assertCount(template: SqlTemplate, also: string | null = null): Promise<void> {
  const parsed = await parseSql(renderSql(template, markers(template)));
  const [statement] = parsed.ok ? parsed.statements : [];
  const single = parsed.ok && parsed.statements.length === 1 && statement !== undefined;
  const reason = single ? refusedCount(statement, also) : 'it is not one statement';
  if (reason !== null) throw refused(template, reason);
}

async function refusal(template: SqlTemplate, schemas: ReadonlySet<string>): Promise<string | null> {
  const parsed = await parseSql(renderSql(template, markers(template)));
  if (!parsed.ok) return `it does not parse (${parsed.message})`;
  const [statement] = parsed.statements;
  if (statement === undefined || parsed.statements.length > 1)
    return `it is ${parsed.statements.length} statements, not one`;
  return refusedStatement(statement) ?? foreignName(statement, schemas);
}

/** The tenant's schema as its marker, everything else as a name that means nothing. */
function markers(template: SqlTemplate): Readonly<Record<string, string>> {
  const variables = template.parts.flatMap((part) => (typeof part === 'string' ? [] : [part.variable]));
  return Object.fromEntries(variables.map((name) => [name, name === 'schema' ? TENANT_SCHEMA : 'trueup_variable']));
}

/** The first name, anywhere in the statement, of a schema that is not allowed. */
function foreignName(statement: Node, schemas: ReadonlySet<string>): string | null {
  const common = new Set<string>();
  let found: string | null = null;
  const check = (name: readonly string[]): void => {
    if (name.length < 2) return;
    const schema = name[0] ?? '';
    if (name.length > 2) found ??= `${name.join('.')} names a database`;
    else if (!schemas.has(schema)) found ??= `it names the schema ${schema}`;
  };
  walk(statement, ({ kind, body }) => {
    if (kind === 'CommonTableExpr') common.add(text(body, 'ctename') ?? '');
  });
  walk(statement, (node) => {
    const { kind, body } = node;
    switch (kind) {
      case 'RangeVar': {
        const schema = text(body, 'schemaname');
        const table = text(body, 'relname') ?? '';
        if (schema === null && !common.has(table)) found ??= `the table ${table} is not qualified`;
        if ('catalogname' in body) found ??= 'it names a database';
        check(schema === null ? [table] : [schema, table]);
        return;
      }
      case 'DefElem': {
        const value = text(as('String', body.arg) ?? {}, 'sval');
        if (body.defname === 'schema' && value !== null) check([value, '']);
        return;
      }
      default:
        namesOf(node).forEach(check);
    }
  });
  return found;
}
