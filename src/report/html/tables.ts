import { HAZARDS, type Hazard } from '../../diff/change.js';
import { LOCK_MODES, type LockMode } from '../../diff/lock-mode.js';
import type { ChangeDocument } from '../change-document.js';
import { counted, HAZARD_WORDS, number, symbolOf } from '../words.js';
import { type Content, type Html, html } from './html.js';
import type { PageModel, ShownClass } from './page-model.js';

/** What each phase asks of the fleet. */
export function phasesSection({ input: { plan }, classes }: PageModel): Html {
  const { phases, skippedPhases, backends } = plan.desiredState;
  const rows = phases.map((phase) => {
    const of = (status: string, symbol?: string) =>
      sum(
        classes,
        (change) =>
          change.phase === phase &&
          change.status === status &&
          (symbol === undefined || symbolOf(change.action) === symbol),
      );
    const tenants = classes.reduce(
      (total, { document }) =>
        total + (document.changes.some((change) => change.phase === phase) ? document.tenantCount : 0),
      0,
    );
    const cells = [tenants, of('pending', '+'), of('pending', '~'), of('pending', '-'), of('blocked'), of('deferred')];
    return html`<tr><th scope="row">${phase}${backendWords(backends[phase])}</th>${cells.map(count)}</tr>`;
  });
  const skipped = skippedPhases.map(
    (phase) => html`<tr class="skipped"><th scope="row">${phase}</th><td colspan="6">not checked</td></tr>`,
  );
  return html`<section id="phases" aria-labelledby="phases-title">
<h2 id="phases-title">Phases</h2>
<div class="table-frame" role="group" aria-labelledby="phases-title" tabindex="0"><table>
<thead><tr><th scope="col">Phase</th><th scope="col">Tenants</th><th scope="col"><span class="sign adds" aria-hidden="true">+</span> To add</th><th scope="col"><span class="sign changes" aria-hidden="true">~</span> To change</th><th scope="col"><span class="sign removes" aria-hidden="true">−</span> To remove</th><th scope="col">Blocked</th><th scope="col">Deferred</th></tr></thead>
<tbody>${rows}${skipped}</tbody></table></div>
<p class="lead">Tenants that differ in the phase, and their changes: each counts once for every tenant, and a change of index families once for every member.</p>
</section>`;
}

/** What the pending changes risk, and what the blocked ones would. */
export function hazardsSection({ classes }: PageModel): Html | null {
  const hazards = HAZARDS.filter((hazard) => classes.some(having(({ hazards: own }) => own.includes(hazard))));
  const locks = LOCK_MODES.filter((lock) => lock !== 'NONE' && classes.some(having((change) => change.lock === lock)));
  if (hazards.length + locks.length === 0) return null;
  return html`<section id="hazards" aria-labelledby="hazards-title">
<h2 id="hazards-title">Hazards and locks</h2>
<div class="table-frame" role="group" aria-labelledby="hazards-title" tabindex="0"><table>
<thead><tr><th scope="col">What apply does</th><th scope="col">Tenants</th><th scope="col">If allowed</th><th scope="col" class="links-head">Classes</th></tr></thead>
<tbody>${hazards.map((hazard) => hazardRow(hazard, classes))}</tbody>
<tbody>${locks.toReversed().map((lock) => lockRow(lock, classes))}</tbody></table></div>
<p class="lead">Tenants with pending changes of the kind; “if allowed”: with changes that are blocked, or deferred, as things stand.</p>
</section>`;
}

const hazardRow = (hazard: Hazard, classes: readonly ShownClass[]): Html =>
  riskRow(html`${HAZARD_WORDS[hazard]} <code>${hazard}</code>`, classes, ({ hazards }) => hazards.includes(hazard));

const lockRow = (lock: LockMode, classes: readonly ShownClass[]): Html =>
  riskRow(html`locks tables by <code>${lock}</code>`, classes, (change) => change.lock === lock);

/** Links to classes in one row. */
const LINKS = 12;

function riskRow(what: Content, classes: readonly ShownClass[], test: (change: ChangeDocument) => boolean): Html {
  const pending = (change: ChangeDocument) => change.status === 'pending' && test(change);
  const later = (change: ChangeDocument) => change.status !== 'pending' && test(change);
  const tenants = (kind: (change: ChangeDocument) => boolean) =>
    classes.filter(having(kind)).reduce((total, { document }) => total + document.tenantCount, 0);
  return html`<tr><th scope="row">${what}</th>${count(tenants(pending))}${count(tenants(later))}<td class="links">${classLinks(classes.filter(having(test)))}</td></tr>`;
}

/** Links to classes, by their numbers: to the first of many. */
export const classLinks = (classes: readonly ShownClass[]): Content => [
  ...classes.slice(0, LINKS).map(({ no, anchor }) => html`<a href="#${anchor}" aria-label="class ${no}">${no}</a> `),
  classes.length > LINKS ? ` and ${number(classes.length - LINKS)} more` : null,
];

/** What a list leaves out that every class says of itself; nothing when that is none. */
export const moreBelow = (left: number, what: string): Content =>
  left <= 0 ? null : html`<p class="lead">… and ${counted(left, `more ${what}`)}, each with its class below.</p>`;

/** Whether a class has a change of a kind. */
const having =
  (test: (change: ChangeDocument) => boolean) =>
  ({ document }: ShownClass): boolean =>
    document.changes.some(test);

const count = (value: number): Html =>
  html`<td class="${value === 0 ? 'number zero' : 'number'}">${value === 0 ? '–' : number(value)}</td>`;

function sum(classes: readonly ShownClass[], test: (change: ChangeDocument) => boolean): number {
  return classes.reduce(
    (total, { document }) =>
      total +
      document.changes
        .filter(test)
        .reduce(
          (own, { family, memberCount }) => own + (family === undefined ? document.tenantCount : (memberCount ?? 0)),
          0,
        ),
    0,
  );
}

function backendWords(backend: { readonly value: string; readonly resolved: string } | undefined): Content {
  if (backend === undefined) return null;
  const { value, resolved } = backend;
  return html` <span class="chip phase">${resolved === value ? value : `${value}: ${resolved}`}</span>`;
}
