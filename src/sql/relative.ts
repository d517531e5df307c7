import { characterOffset, readFragment } from './fragments.js';
import { type Token, tokenize } from './lexer.js';
import { TENANT_SCHEMA_SQL } from './template.js';
import { list, locationOf, names, walk } from './tree.js';

/**
 * Deparsed server text with every reference to `schema` replaced by {@link TENANT_SCHEMA_SQL}: where the schema's name
 * stands before a dot, and inside a string constant that is cast to a reg type (`'tenant.seq'::regclass`). What an
 * extension keeps there (`isForeign`) is no tenant's own: it reads alike in every tenant.
 * @param others where the word is no schema, as offsets in the text
 */
export function relativeTo(
  schema: string,
  text: string,
  isForeign: (name: string) => boolean = () => false,
  others: ReadonlySet<number> = new Set(),
): string {
  const tokens = tokenize(text);
  return tokens
    .map((token, index) => {
      const next = tokens[index + 1];
      if (token.kind === 'word' || token.kind === 'quoted-name') {
        const own =
          token.value === schema &&
          next?.text === '.' &&
          tokens[index - 1]?.text !== '.' &&
          !others.has(token.start) &&
          !isForeign(nameAt(tokens, index + 2));
        return own ? TENANT_SCHEMA_SQL : token.text;
      }
      if (token.kind !== 'string' || next?.kind !== 'cast') return token.text;
      return isRegType(tokens.slice(index + 2, index + 5))
        ? quoted(relativeTo(schema, token.value, isForeign))
        : token.text;
    })
    .join('');
}

/**
 * The same of a query. The server qualifies its columns by what FROM calls their tables, never by a schema: in `SELECT shop.id
 * FROM shop.shop` the first `shop` taken for the schema would give another tenant a query that does not run.
 */
export async function relativeQuery(
  schema: string,
  text: string,
  isForeign: (name: string) => boolean,
): Promise<string> {
  const read = await readFragment('query', text);
  const columns = new Set<number>();
  if (read.ok)
    walk({ SelectStmt: read.tree }, ({ kind, body }) => {
      if (kind === 'ColumnRef' && names(list(body, 'fields'))[0] === schema)
        columns.add(characterOffset(text, locationOf(body) - read.shift));
    });
  return relativeTo(schema, text, isForeign, columns);
}

/** The name of an object; of an operator, which stands in `OPERATOR(schema.<@)`, one symbol behind the other. */
function nameAt(tokens: readonly Token[], at: number): string {
  const first = tokens[at];
  if (first?.kind === 'word' || first?.kind === 'quoted-name') return first.value;
  const behind = tokens.slice(at);
  const end = behind.findIndex((token) => token.kind !== 'symbol' || token.text === ')');
  return behind
    .slice(0, Math.max(end, 0))
    .map((token) => token.text)
    .join('');
}

function isRegType(following: readonly { readonly text: string }[]): boolean {
  const [first, second, third] = following;
  const type = first?.text === 'pg_catalog' && second?.text === '.' ? third?.text : first?.text;
  return type !== undefined && /^reg[a-z]+$/u.test(type);
}

// Never E'…': a schema's name is put in later, and its backslashes would have to be doubled.
const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;
