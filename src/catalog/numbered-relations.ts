import { type Token, tokenize } from '../sql/lexer.js';

/**
 * A plan as EXPLAIN (VERBOSE, FORMAT JSON) gives it, in which each relation goes by its place in the plan. EXPLAIN makes names
 * unique by numbers behind them, for the tables that inherit from one too, and which number each gets hangs on the aliases
 * in the query's text: of one query, the server's own words for it have other aliases than the declared ones.
 */
export function numberedRelations(plan: unknown): unknown {
  const named = new Set<string>();
  visit(plan, (key, text) => {
    // A parent's own name stands in expressions alone: its rows come under the numbered ones.
    if (key === 'Alias' || key === 'Relation Name')
      for (let name = text; !named.has(name); name = shorter(name)) named.add(name);
    return text;
  });
  const numbers = new Map<string, string>();
  const numberOf = (name: string): string => {
    const number = numbers.get(name) ?? `#${numbers.size + 1}`;
    numbers.set(name, number);
    return number;
  };
  const isRelation = (name: string): boolean => named.has(name) || (NUMBERED.test(name) && isRelation(shorter(name)));
  return visit(plan, (key, text) =>
    key === 'Alias' ? numberOf(text) : renamed(tokenize(text), (name) => (isRelation(name) ? numberOf(name) : null)),
  );
}

const NUMBERED = /_\d+$/u;
const shorter = (name: string): string => name.replace(NUMBERED, '');

/** The same with every string as `change` gives it, in the order of the plan. */
function visit(value: unknown, change: (key: string, text: string) => string, key = ''): unknown {
  if (typeof value === 'string') return change(key, value);
  if (Array.isArray(value)) return value.map((one) => visit(one, change, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([of, one]) => [of, visit(one, change, of)]));
}

/** An expression whose columns go by other relations; what is called by its schema's name is none of a relation. */
function renamed(tokens: readonly Token[], nameOf: (name: string) => string | null): string {
  return tokens
    .map((token, at) => {
      const isName = token.kind === 'word' || token.kind === 'quoted-name';
      const isQualifier = isName && tokens[at + 1]?.text === '.' && tokens[at - 1]?.text !== '.';
      if (!isQualifier || tokens[at + 3]?.text === '(') return token.text;
      return nameOf(token.value) ?? token.text;
    })
    .join('');
}
