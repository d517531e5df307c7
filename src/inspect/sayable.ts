import { parsePlaceholders } from '../desired-state/placeholders.js';
import { checkFragment } from '../sql/fragments.js';
import { TENANT_SCHEMA_SQL } from '../sql/template.js';

/** SQL relative to the tenant as a file says it, or why none can. */
export type Said = { readonly text: string } | { readonly why: string };

/**
 * A fragment as the server prints it, with `${schema}` for the tenant's schema. Checked as the loader will check it: what
 * it would refuse, or read as something else, is not said at all.
 */
export async function said(kind: 'type' | 'expression' | 'query' | 'operator-class', relative: string): Promise<Said> {
  const text = escaped(relative).replaceAll(TENANT_SCHEMA_SQL, () => '${schema}');
  const pieces = parsePlaceholders(text);
  const read = pieces.map((piece) => (piece.kind === 'placeholder' ? TENANT_SCHEMA_SQL : piece.text)).join('');
  const hidden = pieces.some((piece) => piece.kind === 'placeholder' && piece.quoted && !piece.named);
  if (read !== relative || hidden) return { why: 'it names the schema inside a text' };
  if (/\p{Cc}/u.test(text.replaceAll(/[\n\t\r]/gu, ''))) return { why: 'it holds a control character' };
  const problem = await checkFragment(kind, relative);
  return problem === null ? { text } : { why: `trueup’s parser does not read it: ${problem.message}` };
}

/** Text that takes placeholders, so that it means itself. */
export const escaped = (text: string): string => text.replaceAll('${', () => '$${');

/** Whether the format takes a name: it refuses control characters. */
export const isNameSayable = (name: string): boolean => !/\p{Cc}/u.test(name);

/**
 * A collation by its bare name, from the server's SQL. Null where it stands in a schema other than pg_catalog: in the files it
 * would be the application's own, which not every database has.
 */
export function collationName(sql: string): string | null {
  const quoted = /^"((?:[^"]|"")*)"$/u.exec(sql)?.[1]?.replaceAll('""', '"');
  const name = quoted ?? (/^[a-z_][a-z0-9_$]*$/u.test(sql) ? sql : null);
  return name === null || name.startsWith('"') ? null : name;
}
