import { tokenize } from './lexer.js';
import { quoteIdentifier, quoteLiteral } from './quote.js';

/**
 * The name that stands for "this tenant's own schema" inside SQL text that is relative to a tenant: a control
 * character, so that no schema an application made can be taken for it. Written as the quoted identifier
 * {@link TENANT_SCHEMA_SQL}.
 */
export const TENANT_SCHEMA = '\u0001';

/** {@link TENANT_SCHEMA} as it stands in SQL text. */
export const TENANT_SCHEMA_SQL = `"${TENANT_SCHEMA}"`;

/** A value that a template leaves open, and how it is written when it is filled in. */
export interface Variable {
  readonly variable: string;
  /** `identifier` and `literal` are quoted as such; `in-literal` is a quoted identifier inside a string constant. */
  readonly as: 'identifier' | 'literal' | 'in-literal';
}

/**
 * One SQL statement with the tenant's schema (and a member's name and values) left open. Tenants that need the same
 * templates are one drift class, whatever their names.
 */
export interface SqlTemplate {
  readonly parts: readonly (string | Variable)[];
}

/** Anything that may stand in a template literal of {@link sql}: raw SQL text, a variable, or another template. */
export type SqlPart = string | Variable | SqlTemplate;

/** The name of an object: unquoted where it is the same for all tenants, else a variable that each tenant or member fills in. */
export type ObjectName = string | Variable;

/** The tenant's schema, as an identifier. */
export const SCHEMA: Variable = { variable: 'schema', as: 'identifier' };

/** A name that each tenant or member fills in, written as a quoted identifier. */
export const identifierVariable = (variable: string): Variable => ({ variable, as: 'identifier' });

/** A value that each tenant or member fills in, written as a string constant. */
export const literalVariable = (variable: string): Variable => ({ variable, as: 'literal' });

/** An identifier that is the same for all tenants, quoted where it has to be. */
export const name = (identifier: string): string => quoteIdentifier(identifier);

/** SQL text relative to a tenant (types, expressions, queries), with the tenant's schema turned into a variable. */
export function relativeSql(text: string): SqlTemplate {
  // Of most the schema is no part, and to take them apart was most of what a new tenant's statements took.
  if (!text.includes(TENANT_SCHEMA_SQL)) return { parts: merged([text]) };
  const parts = tokenize(text).flatMap((token): (string | Variable)[] => {
    if (token.text === TENANT_SCHEMA_SQL) return [SCHEMA];
    if (token.kind !== 'string') return [token.text];
    const [head = '', ...tail] = token.text.split(TENANT_SCHEMA_SQL);
    return [head, ...tail.flatMap((after): (string | Variable)[] => [{ variable: 'schema', as: 'in-literal' }, after])];
  });
  return { parts: merged(parts) };
}

/** Builds a template: sql`DROP INDEX ${SCHEMA}.${name(index)}`. Strings are raw SQL: quote what is not. */
export function sql(strings: TemplateStringsArray, ...values: readonly SqlPart[]): SqlTemplate {
  const parts = strings.flatMap((text, index): (string | Variable)[] => {
    const value = values[index];
    if (value === undefined) return [text];
    return typeof value === 'object' && 'parts' in value ? [text, ...value.parts] : [text, value];
  });
  return { parts: merged(parts) };
}

/** Templates joined by a separator, as one. */
export function joinSql(templates: readonly SqlPart[], separator: string): SqlTemplate {
  const parts = templates.flatMap((template, index): (string | Variable)[] => {
    const own = typeof template === 'object' && 'parts' in template ? template.parts : [template];
    return index === 0 ? [...own] : [separator, ...own];
  });
  return { parts: merged(parts) };
}

/** The statement for one tenant (and member). Throws when a variable has no value: a bug, never bad input. */
export function renderSql(template: SqlTemplate, values: Readonly<Record<string, string>>): string {
  return template.parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = values[part.variable];
      if (value === undefined) throw new Error(`statement template: no value for ${part.variable}`);
      if (part.as === 'literal') return quoteLiteral(value);
      return part.as === 'identifier' ? quoteIdentifier(value) : quoteIdentifier(value).replaceAll("'", "''");
    })
    .join('');
}

/** The template as people and psql read it: variables as `:"schema"` and `:'value'`. */
export function showSql(template: SqlTemplate): string {
  return template.parts
    .map((part) => {
      if (typeof part === 'string') return part;
      return part.as === 'literal' ? `:'${part.variable}'` : `:"${part.variable}"`;
    })
    .join('');
}

function merged(parts: readonly (string | Variable)[]): readonly (string | Variable)[] {
  const out: (string | Variable)[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (part === '') continue;
    if (typeof part === 'string' && typeof last === 'string') out[out.length - 1] = last + part;
    else out.push(part);
  }
  return out;
}
