import { shown, suggestion } from '../did-you-mean.js';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.js';
import { TENANT_SCHEMA_SQL } from '../sql/template.js';
import { isActive } from './conditions.js';
import type { Conditional, Scalar } from './documents.js';
import type { Fragment } from './fragments.js';
import type { NamePart } from './model.js';
import { BUILT_IN, type Parameter, type Parameters } from './parameters.js';
import { type Piece, parsePlaceholders } from './placeholders.js';
import type { Problems } from './problems.js';
import { keyAt, type Place, valueAt } from './yaml-file.js';

/** Values of an index family's sets, by set: what `${set.value}` may name. */
export type Sets = ReadonlyMap<string, readonly string[]>;

/** SQL as written, or text that becomes a name or an option. */
type Mode = 'sql' | 'text';

interface Rendered {
  readonly parts: readonly NamePart[];
  readonly usable: boolean;
  readonly parameters: readonly string[];
  readonly marks: readonly { readonly rendered: number; readonly source: number; readonly exact: boolean }[];
}

/**
 * What the reading of one file needs to know: whose phase it is, what its placeholders stand for, and where its problems
 * and SQL fragments are gathered. A problem is noted and reading goes on: one load shows them all.
 */
export class Reading {
  constructor(
    readonly phase: string,
    readonly parameters: Parameters,
    readonly problems: Problems,
    readonly fragments: Fragment[],
  ) {}

  /** Whether an entry counts. Placeholders of one that does not are checked all the same. */
  active(entry: Conditional, place: Place): boolean {
    if (isActive(entry, place, this.parameters, this.problems)) return true;
    this.#checkNames(entry, place);
    return false;
  }

  /** A name with its parameters filled in, raw. */
  name(text: string, place: Place): string {
    const rendered = this.#render(text, place, 'text', null);
    const name = join(rendered.parts);
    if (rendered.usable) this.checkName(name, place);
    return name;
  }

  /** A mapping's key as a name: it takes no placeholders. */
  key(text: string, place: Place): string {
    this.checkName(text, place, true);
    return text;
  }

  /** SQL with its parameters filled in, each written by its type; gathered for the check of its syntax. */
  sql(kind: Fragment['kind'], text: string, place: Place, evaluated = false): string {
    return join(this.sqlParts(kind, text, place, null, evaluated).parts);
  }

  /** SQL in pieces, the variables of a family left open. For the check of its syntax they are string constants. */
  sqlParts(kind: Fragment['kind'], text: string, place: Place, sets: Sets | null, evaluated = false): Rendered {
    const rendered = this.#render(text, place, 'sql', sets);
    if (rendered.usable) {
      const whole = join(rendered.parts, () => "'x'");
      this.fragments.push({
        kind,
        text: whole,
        place,
        evaluated,
        sourceOffset: (offset) => sourceOffset(rendered, offset),
      });
    }
    return rendered;
  }

  /** A family's name in pieces. */
  nameParts(text: string, place: Place, sets: Sets): readonly NamePart[] {
    return this.#render(text, place, 'text', sets).parts;
  }

  /** A type with its parameters left open, and which they are. */
  typeTemplate(text: string): { readonly template: readonly NamePart[]; readonly parameters: readonly string[] } {
    const template = parsePlaceholders(text).map((piece): NamePart => {
      if (piece.kind !== 'placeholder') return piece.text;
      return piece.name === BUILT_IN ? TENANT_SCHEMA_SQL : { variable: piece.name };
    });
    const names = template.flatMap((part) => (typeof part === 'string' ? [] : [part.variable]));
    return { template: merged(template), parameters: [...new Set(names)] };
  }

  /** The text of a scalar with its parameters filled in, raw: options, listed values. */
  text(value: Scalar, place: Place): string {
    if (typeof value !== 'string') return String(value);
    return join(this.#render(value, place, 'text', null).parts);
  }

  /** A count given as a number or as a parameter that holds one. */
  count(value: number | string, place: Place): number {
    const text = this.text(value, place);
    if (/^\d{1,15}$/u.test(text)) return Number(text);
    const rendered = this.#render(String(value), place, 'text', null);
    if (rendered.usable)
      this.invalid(`${shown(text)} is not a number of rows`, place, 'give a whole number, 0 or more');
    return 0;
  }

  invalid(message: string, place: Place, remedy: string): void {
    this.problems.invalid(message, valueAt(place), remedy);
  }

  /** Refuses a name that PostgreSQL would cut off, or that would break a report or a log. */
  checkName(name: string, place: Place, isKey = false): void {
    const at = isKey ? keyAt(place) : valueAt(place);
    const bytes = Buffer.byteLength(name);
    if (name === '') this.problems.invalid('a name is empty', at, 'give it a name');
    else if (bytes > 63) {
      this.problems.invalid(`the name ${shown(name)} has ${bytes} bytes; PostgreSQL keeps 63`, at, 'shorten it');
    } else if (hasControl(name)) {
      this.problems.invalid(`the name ${shown(name)} holds a control character`, at, 'remove it');
    }
  }

  #render(text: string, place: Place, mode: Mode, sets: Sets | null): Rendered {
    const parts: NamePart[] = [];
    const marks: { rendered: number; source: number; exact: boolean }[] = [];
    const parameters = new Set<string>();
    let usable = true;
    let length = 0;
    for (const piece of parsePlaceholders(text)) {
      const part = piece.kind === 'text' ? piece.text : this.#fill(piece, place, mode, sets);
      if (part === null) {
        usable = false;
        continue;
      }
      if (piece.kind === 'placeholder') parameters.add(piece.name);
      marks.push({ rendered: length, source: piece.offset, exact: piece.kind === 'text' });
      length += typeof part === 'string' ? part.length : 3;
      parts.push(part);
    }
    if (mode === 'sql' && hasControl(text.replaceAll(/[\n\t\r]/gu, ''))) {
      this.invalid('SQL text holds a control character', place, 'remove it');
      usable = false;
    }
    return { parts: merged(parts), usable, parameters: [...parameters], marks };
  }

  #fill(piece: Exclude<Piece, { kind: 'text' }>, place: Place, mode: Mode, sets: Sets | null): NamePart | null {
    const refuse = (message: string, remedy: string) => this.#refuse(piece, place, message, remedy);
    if (piece.kind === 'malformed') return refuse(...malformed(piece));
    const { name } = piece;
    // Filled in between quotes, a value could close them and go on as SQL.
    if (mode === 'sql' && piece.quoted && !(name === BUILT_IN && piece.named)) {
      return refuse(
        `the placeholder ${name} stands inside quotes or a comment`,
        'leave the quotes out: values are quoted when they are filled in',
      );
    }
    if (name === BUILT_IN) {
      if (mode === 'sql') return TENANT_SCHEMA_SQL;
      return refuse('${schema} stands where no SQL is: a name cannot differ by tenant', 'leave it out');
    }
    if (name.includes('.')) return this.#variable(name, sets, refuse);
    const parameter = this.parameters.get(name);
    if (parameter === undefined)
      return refuse(`there is no parameter ${shown(name)}`, suggestion(name, [...this.parameters.keys(), BUILT_IN]));
    if (!parameter.usable) return null;
    if (parameter.value === null) {
      return refuse(
        `parameter ${shown(name)} has no value here`,
        `give it one (--set ${name}=…), a default, or the entry \`when: ${name}\``,
      );
    }
    return mode === 'sql' ? writtenAsSql(parameter) : String(parameter.value);
  }

  /** Notes a problem at a piece of a text. */
  #refuse(piece: Piece, place: Place, message: string, remedy: string): null {
    this.problems.invalid(message, place.file.textPosition(place.path, piece.offset), remedy);
    return null;
  }

  #variable(name: string, sets: Sets | null, refuse: (message: string, remedy: string) => null): NamePart | null {
    if (sets === null)
      return refuse(
        `the placeholder ${name} stands outside the name and where of an index family, and the query of a probe`,
        'use a parameter',
      );
    const [set = '', value = ''] = name.split('.');
    const values = sets.get(set);
    if (values === undefined) return refuse(`there is no set ${shown(set)} here`, suggestion(set, sets.keys()));
    if (!values.includes(value)) return refuse(`${set} has no value ${shown(value)} here`, suggestion(value, values));
    return { variable: name };
  }

  #checkNames(value: unknown, place: Place): void {
    if (typeof value === 'string') {
      for (const piece of parsePlaceholders(value)) {
        if (piece.kind === 'malformed') this.#refuse(piece, place, ...malformed(piece));
        if (piece.kind !== 'placeholder' || piece.name.includes('.') || piece.name === BUILT_IN) continue;
        if (this.parameters.has(piece.name)) continue;
        const remedy = suggestion(piece.name, this.parameters.keys());
        this.#refuse(piece, place, `there is no parameter ${shown(piece.name)}`, remedy);
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        const step = Array.isArray(value) ? Number(key) : key;
        this.#checkNames(inner, { file: place.file, path: [...place.path, step] });
      }
    }
  }
}

const malformed = ({ text }: Extract<Piece, { kind: 'malformed' }>): readonly [message: string, remedy: string] => [
  `${shown(text)} is not a placeholder`,
  'write ${name}, or $${ for a literal ${',
];

/** The pieces as one text. */
export function join(parts: readonly NamePart[], variable: (name: string) => string = (name) => `\${${name}}`): string {
  return parts.map((part) => (typeof part === 'string' ? part : variable(part.variable))).join('');
}

function writtenAsSql(parameter: Parameter): string {
  const text = String(parameter.value);
  if (parameter.type === 'string') return quoteLiteral(text);
  return parameter.type === 'identifier' ? quoteIdentifier(text) : text;
}

function sourceOffset(rendered: Rendered, offset: number): number {
  const mark = rendered.marks.findLast((one) => one.rendered <= offset);
  if (mark === undefined) return 0;
  return mark.exact ? mark.source + offset - mark.rendered : mark.source;
}

function merged(parts: readonly NamePart[]): readonly NamePart[] {
  const out: NamePart[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (typeof part === 'string' && typeof last === 'string') out[out.length - 1] = last + part;
    else if (part !== '') out.push(part);
  }
  return out;
}

/** Control characters, the one that stands for the tenant's schema (src/sql/template.ts) among them. */
const hasControl = (text: string): boolean => /\p{Cc}/u.test(text);
