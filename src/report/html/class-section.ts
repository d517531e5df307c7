import type { ChangeOutcomeDocument } from '../apply-json.js';
import type { ChangeDocument } from '../change-document.js';
import type { ClassMembersDocument } from '../plan-json.js';
import { tenantName } from '../tenant-name.js';
import { counted, listed, number } from '../words.js';
import { changeHtml, changeText, type Tally } from './change-html.js';
import { swatch } from './fleet-picture.js';
import { type Content, type Html, html, linesOf } from './html.js';
import { briefNamesHtml, namesHtml } from './names-html.js';
import { IN_FULL, type PageModel, type ShownClass, type TenantGroup, tenantKey } from './page-model.js';

/** Every class of tenants: what they need, and who they are. */
export function classesSection(model: PageModel): Html | null {
  if (model.classes.length === 0) return null;
  return html`<section id="classes" aria-labelledby="classes-title">
<h2 id="classes-title">Classes of drift</h2>
<p class="lead">Tenants of one class need the same changes. Statements are written as psql takes them: <code class="sql-inline">:"schema"</code> stands for each tenant’s schema.</p>
${model.classes.map((one, at) => (at < IN_FULL ? classHtml(one, model) : briefHtml(one, model)))}
</section>`;
}

function classHtml(one: ShownClass, model: PageModel): Html {
  const { document, anchor, look, groups } = one;
  const { tallyOf, unplanned } = resultsOf(one, model);
  return html`<article class="class" id="${anchor}" aria-labelledby="${anchor}-title" tabindex="-1">
<header><h3 id="${anchor}-title">${swatch(look)}<span>Class ${one.no}</span> <span class="class-size">${size(one)}</span></h3>${chips(one)}</header>
<div class="who">${groups.map((group) => namesHtml(group, model, labelOf(group, one)))}</div>
<ol class="changes">${document.changes.map((change, at) =>
    changeHtml(change, tallyOf(change), members(one, at, model)),
  )}</ol>
${unplanned.length === 0 ? null : html`<p class="lead">${UNPLANNED}</p><ol class="changes">${unplanned.map(({ change, tally }) => changeHtml(change, tally))}</ol>`}
</article>`;
}

/** The same as text: see {@link IN_FULL}. */
function briefHtml(one: ShownClass, model: PageModel): Html {
  const { document, anchor, groups } = one;
  const { tallyOf, unplanned } = resultsOf(one, model);
  const late = unplanned.map(({ change, tally }) => changeText(change, tally));
  return html`<article class="class brief" id="${anchor}" tabindex="-1"><h3>Class ${one.no} <span class="class-size">${size(one)}</span></h3>${groups.map((group) => briefNamesHtml(group, model, labelOf(group, one)))}<pre>${document.changes.map((change) => changeText(change, tallyOf(change)))}${late.length === 0 ? null : [UNPLANNED, html`\n`, late]}</pre>${document.changes.map((_, at) => members(one, at, model))}</article>`;
}

const UNPLANNED = 'By the time of their turn, some needed this too:';

/** What came of a class's changes; a tenant may have needed something else by the time of its turn. */
function resultsOf(one: ShownClass, model: PageModel) {
  const tallies = model.outcomes === null ? null : talliesOf(one, model);
  const planned = new Set(one.document.changes.map(keyOf));
  return {
    tallyOf: (change: ChangeDocument) => (tallies === null ? null : (tallies.get(keyOf(change))?.tally ?? NONE)),
    unplanned: [...(tallies?.values() ?? [])].filter(({ change }) => !planned.has(keyOf(change))),
  };
}

function size({ document: { tenantCount, changes } }: ShownClass): string {
  return `${counted(tenantCount, 'tenant')}, ${counted(changes.length, 'change')}`;
}

function chips({ document: { changes } }: ShownClass): Content {
  const count = (status: string) => changes.filter((change) => change.status === status).length;
  return (['blocked', 'deferred'] as const)
    .filter((status) => count(status) > 0)
    .map((status) => html`<span class="chip ${status}">${number(count(status))} ${status}</span>`);
}

const labelOf = ({ end, words }: TenantGroup, { no }: ShownClass): string =>
  end === null ? `class ${no}` : `${words}, class ${no}`;

function members({ document }: ShownClass, at: number, { input }: PageModel): Content {
  const own = (document.members ?? []).filter(({ change }) => change === at);
  if (own.length === 0) return null;
  const label = (one: ClassMembersDocument) => tenantName(input.plan, one);
  const text = own.map((one) => `${label(one)}: ${one.values.map(memberText).join('; ')}`);
  return html`<details class="members"><summary>Members by tenant</summary><div class="names-frame" tabindex="0" role="group" aria-label="Members by tenant"><div class="member-names">${linesOf(text)}</div></div></details>`;
}

/** `items_new_acme (kind.value new, shop.id acme)`. */
function memberText(member: Readonly<Record<string, string>>): string {
  const values = Object.entries(member).filter(([key]) => key !== 'index');
  const words = values.map(([key, value]) => `${key} ${value}`);
  return member.index === undefined ? listed(words) : `${member.index} (${words.join(', ')})`;
}

const NONE: Tally = { applied: 0, 'not-applied': 0, 'in-doubt': 0 };

interface Tallied {
  readonly change: ChangeOutcomeDocument;
  readonly tally: Record<keyof Tally, number>;
}

function talliesOf({ document }: ShownClass, { outcomes }: PageModel): ReadonlyMap<string, Tallied> {
  const tallies = new Map<string, Tallied>();
  for (const tenant of document.tenants) {
    for (const change of outcomes?.get(tenantKey(tenant))?.changes ?? []) {
      const one = tallies.get(keyOf(change)) ?? { change, tally: { ...NONE } };
      one.tally[change.result] += 1;
      tallies.set(keyOf(change), one);
    }
  }
  return tallies;
}

const keyOf = ({ phase, action, table, object, family }: ChangeDocument): string =>
  JSON.stringify([phase, action, table, object, family ?? null]);
