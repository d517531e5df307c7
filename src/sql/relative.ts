import { tokenize } from './lexer.js';
import { TENANT_SCHEMA_SQL } from './template.js';

/**
 * Deparsed server text with every reference to `schema` replaced by {@link TENANT_SCHEMA_SQL}: where the schema's name
 * stands before a dot, and inside a string constant that is cast to a reg type (`'tenant.seq'::regclass`). What an
 * extension keeps there (`isForeign`) is no tenant's own: it reads alike in every tenant.
 */
export function relativeTo(schema: string, text: string, isForeign: (name: string) => boolean = () => false): string {
  const tokens = tokenize(text);
  return tokens
    .map((token, index) => {
      const next = tokens[index + 1];
      if (token.kind === 'word' || token.kind === 'quoted-name') {
        const own =
          token.value === schema &&
          next?.text === '.' &&
          tokens[index - 1]?.text !== '.' &&
          !isForeign(nameOf(tokens[index + 2]));
        return own ? TENANT_SCHEMA_SQL : token.text;
      }
      if (token.kind !== 'string' || next?.kind !== 'cast') return token.text;
      return isRegType(tokens.slice(index + 2, index + 5))
        ? quoted(relativeTo(schema, token.value, isForeign))
        : token.text;
    })
    .join('');
}

const nameOf = (token: { readonly kind: string; readonly value: string } | undefined): string =>
  token?.kind === 'word' || token?.kind === 'quoted-name' ? token.value : '';

function isRegType(following: readonly { readonly text: string }[]): boolean {
  const [first, second, third] = following;
  const type = first?.text === 'pg_catalog' && second?.text === '.' ? third?.text : first?.text;
  return type !== undefined && /^reg[a-z]+$/u.test(type);
}

// Never E'…': a schema's name is put in later, and its backslashes would have to be doubled.
const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`;
