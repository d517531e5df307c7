import type { IndexKeyShape } from '../shape/table-shape.js';
import { TrueupError } from '../trueup-error.js';
import { type Token, tokenize } from './lexer.js';
import { relativeTo } from './relative.js';

/** What pg_get_indexdef says that no catalog column does. Text is relative to the schema. */
export interface ParsedIndexDefinition {
  readonly keys: readonly IndexKeyShape[];
  readonly include: readonly string[];
  readonly where: string | null;
}

/**
 * Reads what pg_get_indexdef printed, in a session with an empty search_path. The parser cannot give expressions back as
 * text, so this cuts the definition itself, whose form is fixed (ruleutils.c): keywords in capitals, names quoted where
 * they could be taken for one.
 * @throws {TrueupError} INTERNAL when the text has another form.
 */
export async function parseIndexDefinition(
  indexdef: string,
  schema: string,
  isForeign: (name: string) => boolean = () => false,
): Promise<ParsedIndexDefinition> {
  const relative = (text: string) => relativeTo(schema, text, isForeign);
  const reader = new Reader(tokenize(indexdef), relative);
  reader.skipTo('USING');
  reader.name();
  reader.spaces();
  const keys = splitByComma(reader.group()).map((key) => readKey(new Reader(key, relative)));
  reader.spaces();
  const include = reader.accept('INCLUDE')
    ? splitByComma(reader.group()).map((column) => new Reader(column, relative).name())
    : [];
  return { keys, include, where: reader.skipTo('WHERE', true) ? reader.rest() : null };
}

/** Makes SQL text relative to the tenant. */
type Relative = (text: string) => string;

function readKey(reader: Reader): IndexKeyShape {
  reader.spaces();
  const { column, expression } = reader.subject();
  reader.spaces();
  const collation = reader.accept('COLLATE') ? reader.qualifiedName() : null;
  reader.spaces();
  const opclass = reader.atKeyword(['ASC', 'DESC', 'NULLS']) ? null : reader.qualifiedName();
  reader.spaces();
  const opclassOptions = opclass !== null && reader.at('(') ? readOptions(reader.group(), reader.relative) : {};
  reader.spaces();
  const order = reader.accept('DESC') ? 'desc' : 'asc';
  reader.accept('ASC');
  const nulls = reader.accept('NULLS')
    ? reader.accept('FIRST')
      ? 'first'
      : 'last'
    : order === 'desc'
      ? 'first'
      : 'last';
  reader.accept('LAST');
  reader.spaces();
  reader.end();
  return { column, expression, opclass, opclassOptions, collation, order, nulls };
}

/** `siglen='32', other=word`. */
function readOptions(tokens: readonly Token[], relative: Relative): Readonly<Record<string, string>> {
  return Object.fromEntries(
    splitByComma(tokens).map((option) => {
      const reader = new Reader(option, relative);
      const name = reader.name();
      reader.expect('=');
      return [name, option.at(-1)?.value ?? ''];
    }),
  );
}

function splitByComma(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.text === '(' || token.text === '[') depth += 1;
    if (token.text === ')' || token.text === ']') depth -= 1;
    if (token.text === ',' && depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

/** A cursor over the tokens of a definition. */
class Reader {
  #at = 0;

  constructor(
    readonly tokens: readonly Token[],
    readonly relative: Relative,
  ) {}

  spaces(): void {
    while (this.tokens[this.#at]?.kind === 'space') this.#at += 1;
  }

  at(text: string): boolean {
    return this.tokens[this.#at]?.text === text;
  }

  /** Takes a keyword and the blanks after it. */
  accept(word: string): boolean {
    if (!this.at(word)) return false;
    this.#at += 1;
    this.spaces();
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.fail();
  }

  /** True at one of the keywords, or at the end. */
  atKeyword(words: readonly string[]): boolean {
    const token = this.tokens[this.#at];
    return token === undefined || token.text === '(' || words.includes(token.text);
  }

  /** Goes behind the first such keyword that stands in no parentheses. */
  skipTo(keyword: string, optional = false): boolean {
    for (let depth = 0; this.#at < this.tokens.length; this.#at += 1) {
      const text = this.tokens[this.#at]?.text;
      if (text === '(') depth += 1;
      if (text === ')') depth -= 1;
      if (depth === 0 && this.accept(keyword)) return true;
    }
    return optional ? false : this.fail();
  }

  name(): string {
    this.spaces();
    const token = this.tokens[this.#at];
    if (token?.kind !== 'word' && token?.kind !== 'quoted-name') return this.fail();
    this.#at += 1;
    return token.value;
  }

  /** A name with its schema, if it has one, as SQL relative to the schema. */
  qualifiedName(): string {
    const start = this.#at;
    this.name();
    if (this.at('.')) {
      this.#at += 1;
      this.name();
    }
    const text = this.#text(start);
    this.spaces();
    return text;
  }

  /** The tokens inside the parentheses that open here. */
  group(): readonly Token[] {
    if (!this.at('(')) return this.fail();
    const start = this.#at + 1;
    let depth = 0;
    for (; this.#at < this.tokens.length; this.#at += 1) {
      if (this.at('(')) depth += 1;
      if (this.at(')')) depth -= 1;
      if (depth > 0) continue;
      this.#at += 1;
      return this.tokens.slice(start, this.#at - 1);
    }
    return this.fail();
  }

  /** A key is a column, a call that stands bare, or any other expression in parentheses. */
  subject(): { readonly column: string | null; readonly expression: string | null } {
    if (this.at('(')) {
      const inner = this.group();
      return { column: null, expression: this.relative(inner.map((token) => token.text).join('')) };
    }
    const start = this.#at;
    const column = this.name();
    while (this.at('.')) {
      this.#at += 1;
      this.name();
    }
    // An operator class with options has a blank before its parenthesis; a call has none.
    if (!this.at('(')) return { column, expression: null };
    this.group();
    return { column: null, expression: this.#text(start) };
  }

  /** What is left, as SQL relative to the schema. */
  rest(): string {
    const start = this.#at;
    this.#at = this.tokens.length;
    return this.#text(start);
  }

  end(): void {
    if (this.#at < this.tokens.length) this.fail();
  }

  fail(): never {
    const text = this.tokens.map((token) => token.text).join('');
    throw new TrueupError('INTERNAL', `an index definition that cannot be read: ${text.slice(0, 200)}`);
  }

  #text(start: number): string {
    const text = this.tokens
      .slice(start, this.#at)
      .map((token) => token.text)
      .join('');
    return this.relative(text);
  }
}
