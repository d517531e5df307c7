import { counted, number } from '../words.js';
import { type Content, type Html, html } from './html.js';
import type { TenantGroup } from './page-model.js';
import type { Look, Mark } from './tones.js';

/** Width and height of a cell, gap included, in the picture's units. */
const CELL = 10;
/** The picture twice, of which the style sheet shows the one that fits: how much wider than high, and its widest cell. */
const FORMS = [
  { form: 'wide', aspect: 3.2, widest: 15 },
  { form: 'narrow', aspect: 1, widest: 12 },
] as const;
/** Groups that the picture's label counts; the legend has them too. */
const SAID = 40;
/** Tenants that are shown by name, each a field of its own. */
const NAMED = 72;

/** The lengths of a mark's strokes, the second in the colour of the paper over the first. */
const STROKES: Readonly<Record<Mark, readonly { readonly width: number; readonly height: number }[]>> = {
  full: [{ width: 8, height: 8 }],
  ring: [
    { width: 8, height: 8 },
    { width: 3.6, height: 3.6 },
  ],
  split: [
    { width: 8, height: 8 },
    { width: 2, height: 8 },
  ],
  hollow: [
    { width: 8, height: 8 },
    { width: 5.6, height: 5.6 },
  ],
  bar: [{ width: 8, height: 3 }],
  dot: [{ width: 4, height: 4 }],
};

/**
 * The fleet: each tenant a field with its name while they are few, else a cell, those of a group beside each other. Cells
 * are dashes of lines, a line a row and group, so that ten thousand of them take a few kilobytes.
 */
export function fleetPicture(groups: readonly TenantGroup[]): Html {
  const total = groups.reduce((sum, group) => sum + group.names.length, 0);
  if (total === 0) return html`<p class="none">No tenant.</p>`;
  if (total <= NAMED) return namedFields(groups);
  const label = labelOf(groups, total);
  return html`<div class="cells-frame">${FORMS.map((form) => drawing(groups, total, label, form))}</div>`;
}

function drawing(
  groups: readonly TenantGroup[],
  total: number,
  label: string,
  { form, aspect, widest }: (typeof FORMS)[number],
): Html {
  const columns = Math.ceil(Math.sqrt(total * aspect));
  const rows = Math.ceil(total / columns);
  const paths = placesByLook(groups).map(({ look, places }) => cells(look, places, columns));
  const size = html`viewBox="0 0 ${columns * CELL} ${rows * CELL}" width="${columns * widest}"`;
  return html`<svg class="cells ${form}" role="img" aria-label="${label}" ${size} data-columns="${columns}" data-total="${total}">${paths}</svg>`;
}

/** Cells in a row, the first at `start`. */
interface Places {
  readonly start: number;
  count: number;
}

/** One path a look: of thousands of classes all but the first few share theirs. */
function placesByLook(groups: readonly TenantGroup[]) {
  const looks = new Map<string, { readonly look: Look; readonly places: Places[] }>();
  let start = 0;
  for (const { look, names } of groups) {
    const key = `${look.tone} ${look.mark}`;
    const one = looks.get(key) ?? { look, places: [] };
    looks.set(key, one);
    const last = one.places.at(-1);
    if (last !== undefined && last.start + last.count === start) last.count += names.length;
    else one.places.push({ start, count: names.length });
    start += names.length;
  }
  return [...looks.values()];
}

/** A single cell, for legends; text beside it says what it means. */
export const swatch = (look: Look): Html =>
  html`<svg class="swatch" viewBox="0 0 ${CELL} ${CELL}" width="16" height="16" aria-hidden="true">${cells(look, [{ start: 0, count: 1 }], 1)}</svg>`;

function cells({ tone, mark }: Look, places: readonly Places[], columns: number): Content {
  return STROKES[mark].map(({ width, height }, at) => {
    const d = places.map((one) => lines(one, columns, width)).join('');
    const dash = html`stroke-width="${height}" stroke-dasharray="${width} ${CELL - width}"`;
    return html`<path class="${at === 0 ? `tone-${tone}` : 'paper'}" ${dash} d="${d}"/>`;
  });
}

function lines({ start, count }: Places, columns: number, width: number): string {
  let d = '';
  for (let at = start; at < start + count; ) {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const run = Math.min(columns - column, start + count - at);
    // A dash pattern begins anew with each line: it begins in a cell and ends in one.
    d += `M${column * CELL + (CELL - width) / 2} ${row * CELL + CELL / 2}h${(run - 1) * CELL + width}`;
    at += run;
  }
  return d;
}

function labelOf(groups: readonly TenantGroup[], total: number): string {
  const parts = groups.slice(0, SAID).map(({ words, names }) => `${number(names.length)} ${words}`);
  const more = groups.length > SAID ? `; and ${counted(groups.length - SAID, 'more group')}` : '';
  return `${number(total)} tenants, each a cell: ${parts.join('; ')}${more}`;
}

const namedFields = (groups: readonly TenantGroup[]): Html =>
  html`<ul class="fields">${groups.flatMap(({ look, names, anchor, words }) =>
    names.map(
      (name) =>
        html`<li><a class="field tone-${look.tone}" href="#${anchor}">${swatch(look)}<span class="field-name"><bdi>${name}</bdi></span><span class="field-words">${words}</span></a></li>`,
    ),
  )}</ul>`;
