import { groupBy } from '../../collections.js';
import type { Diagnostic } from '../../plan/fleet-plan.js';
import { unreadableRemedy } from '../../plan/unreadable.js';
import type { ApplyDocument } from '../apply-json.js';
import { ofSeveral, tenantName, withoutSchema } from '../tenant-name.js';
import { counted } from '../words.js';
import { changeHtml, type Tally } from './change-html.js';
import { type Content, type Html, html } from './html.js';
import { namesHtml } from './names-html.js';
import { GONE_ANCHOR, IN_SYNC_ANCHOR, type PageModel, UNREADABLE_ANCHOR } from './page-model.js';

/** Notices of one kind before the rest is folded. */
const SHOWN = 5;

/** Changes that are made once a database: extensions. */
export function onceSection({ input: { plan, run } }: PageModel): Html | null {
  if (plan.databaseChanges.length === 0) return null;
  const several = ofSeveral(plan);
  return html`<section id="once" aria-labelledby="once-title">
<h2 id="once-title">Once a database</h2>
<ol class="changes">${plan.databaseChanges.map((change, at) => {
    const place = several ? html`<p class="why">In database ${change.database}.</p>` : null;
    return changeHtml(change, run.kind === 'ended' ? onceTally(run.outcome, change, at) : null, place);
  })}</ol></section>`;
}

/** The outcome lists the same changes in the same order; one that does not is not guessed at. */
function onceTally({ databaseChanges }: ApplyDocument, change: { readonly object: string }, at: number): Tally | null {
  const made = databaseChanges[at];
  if (made === undefined || made.object !== change.object) return null;
  return { applied: 0, 'not-applied': 0, 'in-doubt': 0, [made.result]: 1 };
}

/** Tenants of no class: those that could not be read, that the plan does not know, that need nothing. */
export function othersSection(model: PageModel): Html | null {
  const { plan } = model.input;
  const of = (anchor: string) => model.others.filter((group) => group.anchor === anchor);
  const list = (anchor: string, title: string, lead: Content) => {
    const groups = of(anchor);
    if (groups.length === 0) return null;
    return html`<article class="class" id="${anchor}" aria-labelledby="${anchor}-title" tabindex="-1"><header><h3 id="${anchor}-title">${title}</h3></header>${lead}<div class="who">${groups.map((group) => namesHtml(group, model, group.words))}</div></article>`;
  };
  if (model.others.length === 0) return null;
  const skipped = plan.desiredState.skippedPhases;
  const scope = skipped.length === 0 ? null : html`<p class="why">Not checked: ${skipped.join(', ')}.</p>`;
  return html`<section id="others" aria-labelledby="others-title"><h2 id="others-title">Tenants of no class</h2>
${list(UNREADABLE_ANCHOR, 'Not readable', unreadable(model))}
${list(GONE_ANCHOR, 'In the saved plan, and gone since', null)}
${list(IN_SYNC_ANCHOR, 'In sync', scope)}
</section>`;
}

function unreadable({ input: { plan } }: PageModel): Content {
  const alike = groupBy(plan.unreadable, ({ code, message, schema }) =>
    JSON.stringify([code, withoutSchema(message, schema)]),
  );
  const items = [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const who = group.length === 1 ? tenantName(plan, first) : counted(group.length, 'tenant');
    return [
      html`<li><strong>${who}</strong>: ${first.message} <code>${first.code}</code>${doThis(unreadableRemedy(first))}</li>`,
    ];
  });
  return html`<p class="why">Nothing is planned for them.</p><ul class="plain">${folded(items)}</ul>`;
}

/** Databases that are left out, warnings and notes, each with what to do. */
export function noticesSection({ input: { plan, run } }: PageModel): Html | null {
  const failed = run.kind === 'ended' ? run.outcome.failedDatabases : plan.failedDatabases;
  const kinds = [...groupBy(plan.diagnostics, ({ code }) => code).values()];
  if (failed.length + kinds.length === 0) return null;
  const several = ofSeveral(plan);
  return html`<section id="notices" aria-labelledby="notices-title">
<h2 id="notices-title">Notices</h2>
<ul class="cards">${failed.map(
    ({ database, message, code, remedy }) =>
      html`<li class="card blocked"><p><span class="chip blocked">left out</span> <strong>Database ${database}</strong></p><p>${message} <code>${code}</code></p>${doThis(remedy)}</li>`,
  )}${kinds.map((group) => html`<li class="card ${group[0]?.severity ?? 'note'}">${folded(group.map((one) => diagnosticHtml(one, several)))}</li>`)}</ul>
</section>`;
}

/** @param several whether it is to say which database it is about */
const diagnosticHtml = ({ severity, message, remedy, database }: Diagnostic, several: boolean): Html =>
  html`<div class="notice"><p><span class="chip ${severity}">${severity}</span> ${several ? `database ${database}: ` : ''}${message}</p>${doThis(remedy)}</div>`;

const doThis = (remedy: string | null): Content =>
  remedy === null ? null : html`<p class="remedy"><span class="do">Do</span> ${remedy}</p>`;

/** A fleet may have thousands of one kind. */
function folded(items: readonly Html[]): Content {
  const rest = items.slice(SHOWN);
  if (rest.length === 0) return items;
  return [
    ...items.slice(0, SHOWN),
    html`<details><summary>${counted(rest.length, 'more of this kind', 'more of this kind')}</summary>${rest}</details>`,
  ];
}
