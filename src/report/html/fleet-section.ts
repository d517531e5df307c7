import { groupBy } from '../../collections.js';
import { counted, number } from '../words.js';
import { subjectOf } from './change-html.js';
import { fleetPicture, swatch } from './fleet-picture.js';
import { type Html, html } from './html.js';
import { IN_FULL, type PageModel, type ShownClass, type TenantGroup } from './page-model.js';
import { END_WORDS } from './tones.js';

/** Classes in the legend before the rest is folded. */
const SHOWN = 12;

/** The fleet at a glance: its picture, what the cells mean, and a search for a tenant. */
export function fleetSection(model: PageModel): Html {
  const total = model.groups.reduce((sum, { names }) => sum + names.length, 0);
  const { shown, folded } = model.groups.some(({ end }) => end !== null)
    ? { shown: endRows(model, total), folded: [] }
    : classRows(model, total);
  return html`<section id="fleet" aria-labelledby="fleet-title">
<div class="fleet-head"><h2 id="fleet-title">Fleet</h2>
<form class="search" role="search" hidden>
<label for="search">Find a tenant</label>
<input id="search" type="search" role="combobox" aria-expanded="false" aria-controls="hits" aria-autocomplete="list" autocomplete="off" autocapitalize="off" spellcheck="false">
<ul id="hits" role="listbox" aria-label="Tenants" hidden></ul>
<p id="search-said" class="said" role="status"></p>
</form></div>
<div class="picture">${fleetPicture(model.groups)}<p id="cell-said" class="cell-said" aria-live="polite"></p></div>
<div class="legend">
<ul>${shown}</ul>
${folded.length === 0 ? null : html`<details><summary>${counted(model.classes.length - SHOWN, 'more class', 'more classes')}</summary><ul>${folded}</ul></details>`}
</div></section>`;
}

interface LegendRow {
  readonly group: Pick<TenantGroup, 'look'>;
  readonly count: number;
  readonly name: string;
  readonly what: string;
  readonly anchor: string;
}

interface Legend {
  readonly shown: readonly Html[];
  readonly folded: readonly Html[];
}

function classRows({ classes, others }: PageModel, total: number): Legend {
  const first = others.filter(({ anchor }) => anchor === 'unreadable');
  const rest = others.filter(({ anchor }) => anchor !== 'unreadable');
  const other = (group: TenantGroup): LegendRow => ({
    group,
    count: group.names.length,
    name: group.words,
    what: '',
    anchor: group.anchor,
  });
  const rows = classes.slice(0, IN_FULL).map((one) => {
    const { no, anchor, document } = one;
    return legendRow({ group: one, count: document.tenantCount, name: `class ${no}`, what: gist(one), anchor }, total);
  });
  const kept = rows.length > SHOWN + 1 ? SHOWN : rows.length;
  const around = (groups: readonly TenantGroup[]) => groups.map((group) => legendRow(other(group), total));
  const left = classes.length - rows.length;
  const more =
    left === 0
      ? []
      : [html`<li>… and ${counted(left, 'more class', 'more classes')}, each under Classes of drift.</li>`];
  return { shown: [...around(first), ...rows.slice(0, kept), ...around(rest)], folded: [...rows.slice(kept), ...more] };
}

/** By outcome: what they needed is told by the classes. */
function endRows({ groups }: PageModel, total: number): readonly Html[] {
  const alike = groupBy(groups, ({ end, words }) => end ?? words);
  return [...alike].flatMap(([key, list]) => {
    const [group] = list;
    if (group === undefined) return [];
    const count = list.reduce((sum, { names }) => sum + names.length, 0);
    const name = group.end === null ? `not begun: ${key}` : END_WORDS[group.end];
    const anchor = group.end === 'in-sync' ? group.anchor : group.end === null ? group.anchor : `end-${group.end}`;
    return [legendRow({ group, count, name, what: '', anchor }, total)];
  });
}

const legendRow = ({ group, count, name, what, anchor }: LegendRow, total: number): Html =>
  html`<li><a href="#${anchor}">${swatch(group.look)}<span class="count">${number(count)}</span><span class="name">${name}</span><span class="share">${share(count, total)}</span>${what === '' ? null : html`<span class="gist">${what}</span>`}</a></li>`;

/** What a class is about, in one line: its first change, and how many more there are. */
function gist({ document: { changes } }: Pick<ShownClass, 'document'>): string {
  const [first] = changes;
  if (first === undefined) return '';
  const more = changes.length === 1 ? '' : `, and ${changes.length - 1} more`;
  return `${first.action} ${first.family === undefined ? subjectOf(first) : `${first.table}: ${first.family}`}${more}`;
}

function share(count: number, total: number): string {
  const percent = (100 * count) / total;
  if (percent >= 99.95 && count < total) return '>99.9%';
  return percent < 0.1 ? '<0.1%' : `${percent.toFixed(percent < 10 ? 1 : 0)}%`;
}
