import type { DesiredState, IndexFamily } from '../desired-state/model.js';
import { HIDDEN, withoutRowValues } from './row-values.js';

/** Hides in text what the names of a family's members hold of rows: those values are often customers' names. */
export class MemberNames {
  readonly #whole: readonly RegExp[];
  readonly #quoted: readonly RegExp[];
  readonly #bare: readonly RegExp[];

  constructor(states: readonly DesiredState[]) {
    const families = states.flatMap((state) => state.tables.flatMap((table) => table.families));
    const telling = [...new Map(families.filter(fromRows).map((family) => [family.label, family])).values()];
    this.#whole = telling.map((family) => new RegExp(`^${pattern(family, '[\\s\\S]*')}$`, 'u'));
    // As the server names an index in a message, and as a statement does: in double quotes when it must be.
    this.#quoted = telling.map((family) => new RegExp(`(?<=")${pattern(family, '(?:[^"]|"")*')}(?=")`, 'gu'));
    this.#bare = telling.map((family) => new RegExp(`(?<![\\w$"])${pattern(family, '[^\\s"\',;:.()]*')}`, 'gu'));
  }

  /** An index's own name: `items_u_…`. */
  name(index: string): string {
    for (const form of this.#whole) {
      const found = form.exec(index);
      if (found !== null) return filled(found);
    }
    return index;
  }

  /** A message, without these names and without the values that servers quote. */
  message(text: string): string {
    const forms = [...this.#quoted, ...this.#bare];
    return forms.reduce(
      (shown, form) => shown.replaceAll(form, (...found) => filled(found.slice(0, -2).map(String))),
      withoutRowValues(text),
    );
  }
}

const fromRows = (family: IndexFamily): boolean =>
  family.rows !== null && family.name.some((part) => typeof part === 'string' && part !== '');

/** The pieces of a member's name, each in a group of its own; those that come from rows are empty groups before `row`. */
function pattern(family: IndexFamily, row: string): string {
  const parts = family.name.map((part) => {
    if (typeof part === 'string') return `(${escaped(part)})`;
    const [set = '', key = ''] = part.variable.split('.');
    const list = family.lists.find((one) => one.name === set);
    if (list === undefined) return `()${row}`;
    return `(${list.entries.map((entry) => escaped(entry[key] ?? '')).join('|')})`;
  });
  return parts.join('');
}

const filled = (found: readonly string[]): string =>
  found
    .slice(1)
    .map((part) => (part === '' ? HIDDEN : part))
    .join('');

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/gu, '\\$&');
