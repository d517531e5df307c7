import type { IndexShape } from '../shape/table-shape.js';
import { type Token, tokenize } from '../sql/lexer.js';
import { TENANT_SCHEMA_SQL } from '../sql/template.js';

/** An index with the constants of its predicate taken out. */
export interface Slotted {
  readonly index: IndexShape;
  /** Fixed pieces of the predicate; a constant stands between each two. */
  readonly pieces: readonly string[];
  /** The constants, as their values. */
  readonly values: readonly string[];
  /** The constants, as the server writes them. */
  readonly texts: readonly string[];
  /** Agrees where everything but the name and the constants does. */
  readonly likeness: string;
}

/** Takes the constants out of an index's predicate; null for an index without any. */
export function slotted(index: IndexShape): Slotted | null {
  if (index.where === null || !index.valid) return null;
  const pieces = [''];
  const values: string[] = [];
  const texts: string[] = [];
  for (const token of tokenize(index.where)) {
    if (isConstant(token)) {
      values.push(token.value);
      texts.push(token.text);
      pieces.push('');
    } else pieces[pieces.length - 1] += token.text;
  }
  if (values.length === 0) return null;
  const { method, unique, nullsNotDistinct, keys, include, options } = index;
  const likeness = JSON.stringify([method, unique, nullsNotDistinct, keys, include, options, pieces]);
  return { index, pieces, values, texts, likeness };
}

/** A family's values are written as plain string constants: nothing else may stand in their place. */
const isConstant = (token: Token): boolean =>
  token.kind === 'number' ||
  (token.kind === 'string' && token.text.startsWith("'") && !token.value.includes(TENANT_SCHEMA_SQL));

/** The column that a constant is compared with, where the predicate says `column = constant`: a name for the values. */
export function comparedColumn(pieceBefore: string): string | null {
  const tokens = tokenize(pieceBefore).filter((token) => token.kind !== 'space' && token.text !== '(');
  const [column, operator] = tokens.slice(-2);
  if (operator?.text !== '=' || column === undefined) return null;
  return column.kind === 'word' || column.kind === 'quoted-name' ? column.value : null;
}
