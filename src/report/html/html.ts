import escapeHtml from 'escape-html';
import { visible } from '../visible.js';

/** Markup that may stand in a page as it is: made by {@link html} only, or out of a file of the package. */
export class Html {
  constructor(readonly markup: string) {}
}

/** What a template may hold: text is escaped, markup is not, lists are joined, null leaves nothing. */
export type Content = string | number | Html | null | readonly Content[];

/**
 * A tagged template of markup. Text that is put in becomes text, whatever it holds: control characters and those that
 * turn the reading direction are spelt out, the rest is escaped for elements and for quoted attributes.
 *
 * @example
 * html`<p title="${name}">${name}</p>`
 */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  let markup = parts[0] ?? '';
  for (const [at, value] of values.entries()) markup += `${markupOf(value)}${parts[at + 1] ?? ''}`;
  return new Html(markup);
}

/** Text as lines of its own, such as statements: their line ends stay. */
export const lines = (text: string): Html => new Html(text.split('\n').map(escaped).join('\n'));

/** One text a line; a line end within one is spelt out. */
export const linesOf = (texts: readonly string[]): Html => new Html(texts.map(escaped).join('\n'));

function markupOf(value: Content): string {
  if (value === null) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'object') return value.map(markupOf).join('');
  return escaped(String(value));
}

const escaped = (text: string): string => escapeHtml(visible(text));
