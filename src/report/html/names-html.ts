import { chunk } from '../../collections.js';
import { named, number } from '../words.js';
import { swatch } from './fleet-picture.js';
import { type Content, type Html, html, linesOf } from './html.js';
import type { PageModel, TenantGroup } from './page-model.js';

/** Names that are shown before the list is opened. */
const FEW = 4;
/** Lists of more names are left out on paper. */
const ON_PAPER = 120;

/** Names that are laid out together. */
const BLOCK = 240;

/**
 * The names of a group: the page holds each once, here, where the search and the picture find them too, by the group's place
 * in the picture.
 * @param label what the search calls the group
 */
export function namesHtml(group: TenantGroup, model: PageModel, label: string): Html {
  const { names, look, end, words } = group;
  const what = end === null ? null : html`<span class="end">${swatch(look)} ${words}</span>`;
  return html`<details class="${names.length > ON_PAPER ? 'who-list long' : 'who-list'}"><summary>${what}<span class="who-count">${number(names.length)} ${names.length === 1 ? 'tenant' : 'tenants'}</span> <span class="who-few">${named(names, FEW)}</span></summary>${frame(group, model, label)}</details>${cause(group)}`;
}

/** The same in as little markup as it takes: few names stand open. */
export function briefNamesHtml(group: TenantGroup, model: PageModel, label: string): Html {
  if (group.names.length > FEW) return namesHtml(group, model, label);
  return html`${group.end === null ? null : html`<p class="why">${group.words}</p>`}${frame(group, model, label)}${cause(group)}`;
}

const frame = (group: TenantGroup, { places }: PageModel, label: string): Html =>
  html`<div class="names-frame" tabindex="0" role="group" aria-label="Tenants: ${label}"><div class="names" data-group="${places.get(group) ?? ''}" data-label="${label}">${blocks(group.names)}</div></div>`;

const cause = ({ failure }: TenantGroup): Content =>
  failure === null
    ? null
    : html`<p class="cause">${failure.message} <code>${failure.code}${failure.sqlstate === undefined ? null : `, SQLSTATE ${failure.sqlstate}`}</code></p>`;

/** One name a line, over all blocks: a browser lays out only the blocks that are seen. */
const blocks = (names: readonly string[]): Content =>
  chunk(names, BLOCK).map((block, at) => {
    const more = (at + 1) * BLOCK < names.length;
    return html`<div>${linesOf(block)}${more ? html`\n` : null}</div>`;
  });
