import { named, number } from '../words.js';
import { swatch } from './fleet-picture.js';
import { type Html, html, linesOf } from './html.js';
import type { PageModel, TenantGroup } from './page-model.js';

/** Names that are shown before the list is opened. */
const FEW = 4;
/** Lists of more names are left out on paper. */
const ON_PAPER = 120;

/**
 * The names of a group: the page holds each once, here, where the search and the picture find them too, by the group's place
 * in the picture.
 * @param label what the search calls the group
 */
export function namesHtml(group: TenantGroup, { groups }: PageModel, label: string): Html {
  const { names, look, end, words, failure } = group;
  const what = end === null ? null : html`<span class="end">${swatch(look)} ${words}</span>`;
  const list = html`<div class="names" data-group="${groups.indexOf(group)}" data-label="${label}">${linesOf(names)}</div>`;
  const cause =
    failure === null
      ? null
      : html`<p class="cause">${failure.message} <code>${failure.code}${failure.sqlstate === undefined ? null : `, SQLSTATE ${failure.sqlstate}`}</code></p>`;
  return html`<details class="${names.length > ON_PAPER ? 'who-list long' : 'who-list'}"><summary>${what}<span class="who-count">${number(names.length)} ${names.length === 1 ? 'tenant' : 'tenants'}</span> <span class="who-few">${few(names)}</span></summary><div class="names-frame" tabindex="0" role="region" aria-label="Tenants: ${label}">${list}</div></details>${cause}`;
}

/** As `named` does, of a list that may be long. */
const few = (names: readonly string[]): string => named(names, FEW);
