import { groupBy } from '../../collections.js';
import { counted, named, number } from '../words.js';
import { swatch } from './fleet-picture.js';
import { type Content, type Html, html } from './html.js';
import { IN_FULL, type PageModel, type TenantGroup } from './page-model.js';
import { classLinks, moreBelow } from './tables.js';
import { END_WORDS } from './tones.js';

/** Names that are shown of a group; the others stand in its class. */
const NAMES = 5;

/** What became of the tenants: the worst first, each cause once. Null before anything came of any. */
export function outcomeSection(model: PageModel): Html | null {
  const { run } = model.input;
  const ends = groupBy(
    model.groups.filter(({ end }) => end !== null && end !== 'in-sync'),
    ({ end }) => end,
  );
  if (ends.size === 0) return null;
  const retry = run.kind === 'ended' ? run.outcome.retryCommand : null;
  return html`<section id="outcomes" aria-labelledby="outcomes-title">
<h2 id="outcomes-title">Outcomes</h2>
<ul class="cards">${[...ends].map(([end, groups]) => (end === null ? null : endHtml(groups, END_WORDS[end], `end-${end}`, model)))}</ul>
${retry === null ? null : html`<p class="lead">Run again for what is left; what is done stays done:</p><pre class="sql"><code>${retry}</code></pre>`}
${changeCounts(model)}
</section>`;
}

function endHtml(groups: readonly TenantGroup[], words: string, anchor: string, model: PageModel): Content {
  const [first] = groups;
  if (first === undefined) return null;
  const total = sizeOf(groups);
  const causes = groupBy(groups, ({ cause }) => cause);
  const sorted = [...causes.values()].toSorted((a, b) => sizeOf(b) - sizeOf(a));
  return html`<li class="card end-card tone-${first.look.tone}" id="${anchor}" tabindex="-1">
<p class="end-line">${swatch(first.look)} <strong>${counted(total, 'tenant')}</strong> ${words}</p>
${sorted.slice(0, IN_FULL).map((group) => causeHtml(group, model))}${moreBelow(sorted.length - IN_FULL, 'cause')}
</li>`;
}

const sizeOf = (groups: readonly TenantGroup[]): number => groups.reduce((sum, { names }) => sum + names.length, 0);

function causeHtml(groups: readonly TenantGroup[], { classes }: PageModel): Content {
  const [first] = groups;
  if (first === undefined) return null;
  const names = groups.flatMap((group) => group.names);
  const of = [...new Set(groups.map(({ at }) => at))].flatMap((at) => (at === null ? [] : (classes[at] ?? [])));
  const links =
    of.length === 0
      ? html`<a href="#${first.anchor}">all names</a>`
      : html`${of.length === 1 ? 'class' : 'classes'} ${classLinks(of)}`;
  const { failure } = first;
  return html`<div class="cause-block">${
    failure === null
      ? null
      : html`<p class="cause">${failure.message} <code>${failure.code}${failure.sqlstate === undefined ? null : `, SQLSTATE ${failure.sqlstate}`}</code></p>`
  }<p class="subjects">${named(names, NAMES)} <span class="links">· ${links}</span></p>${
    failure?.remedy === undefined ? null : html`<p class="remedy"><span class="do">Do</span> ${failure.remedy}</p>`
  }</div>`;
}

function changeCounts({ input: { run } }: PageModel): Content {
  if (run.kind !== 'ended') return null;
  const { applied, notApplied, inDoubt } = run.outcome.changes;
  const doubt = inDoubt === 0 ? '' : `, ${number(inDoubt)} in doubt`;
  return html`<p class="lead">Changes of all tenants: ${number(applied)} applied, ${number(notApplied)} not applied${doubt}.</p>`;
}
