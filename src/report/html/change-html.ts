import type { IndexUsage } from '../../catalog/fact-types.js';
import { size } from '../../measures.js';
import type { ChangeOutcomeDocument } from '../apply-json.js';
import type { ChangeDocument } from '../change-document.js';
import { counted, HAZARD_WORDS, listed, subjectName, symbolOf } from '../words.js';
import { type Content, type Html, html, lines, linesOf } from './html.js';
import { sqlHtml } from './sql-html.js';

/** How often each result came of one change, over the tenants of its class. */
export type Tally = Readonly<Record<ChangeOutcomeDocument['result'], number>>;

const SIGNS = { '+': ['adds', '+'], '-': ['removes', '−'], '~': ['changes', '~'] } as const;

/** A change: what, why, what it risks, what stands in its way, what came of it, its statements. */
export function changeHtml(
  change: ChangeDocument & { readonly statements?: readonly string[] },
  tally: Tally | null,
  members: Content = null,
): Html {
  const [meaning, sign] = SIGNS[symbolOf(change.action)];
  return html`<li class="change ${change.status}">
<p class="what"><span class="sign ${meaning}" role="img" aria-label="${meaning}">${sign}</span> <span class="action">${change.action}</span> <span class="subject">${subjectOf(change)}</span> <span class="chip phase">${change.phase}</span>${change.status === 'pending' ? null : html` <span class="chip ${change.status}">${change.status}</span>`}</p>
<p class="why">${change.reason}</p>
${obstacle(change)}
<dl class="notes">${hazards(change)}${note('Lock', change.lock === 'NONE' ? 'none that others notice' : change.lock)}${usage(change)}${tally === null ? null : note('Result', results(tally))}</dl>
${members}
${statements(change.statements ?? [])}
</li>`;
}

/** `items.kind`, or `items: 3 members of items_body_${shop.short}`. */
export function subjectOf(change: ChangeDocument): string {
  const { table, family, memberCount } = change;
  if (family !== undefined) return `${table}: ${counted(memberCount ?? 0, 'member')} of ${family}`;
  return subjectName(change);
}

const note = (term: string, what: Content): Html => html`<div><dt>${term}</dt><dd>${what}</dd></div>`;

function hazards({ hazards: list }: ChangeDocument): Content {
  if (list.length === 0) return null;
  return note(
    list.length === 1 ? 'Hazard' : 'Hazards',
    list.map((hazard) => html`<span class="hazard">${HAZARD_WORDS[hazard]}</span>`),
  );
}

const usage = ({ usage: used }: ChangeDocument): Content => (used === undefined ? null : note('Use', usageWords(used)));

const usageWords = ({ scans, bytes }: IndexUsage): string =>
  `${counted(scans, 'scan')} since the statistics were reset; ${size(bytes)}`;

function obstacle({ status, obstacle: text, remedy }: ChangeDocument): Content {
  if (text === undefined && (remedy === undefined || remedy === '')) return null;
  return html`<div class="obstacle ${status}">${text === undefined ? null : html`<p>${text}</p>`}${remedy === undefined || remedy === '' ? null : html`<p class="remedy"><span class="do">Do</span> ${remedy}</p>`}</div>`;
}

function results(tally: Tally): Content {
  const made = resultWords(tally);
  if (made.length === 0) return NOBODY;
  return made.map(({ text, mood }) => html`<span class="result ${mood}">${text}</span>`);
}

const NOBODY = 'no tenant came to it';

const RESULTS: readonly (readonly [result: keyof Tally, what: string, mood: string])[] = [
  ['applied', 'applied', 'good'],
  ['not-applied', 'not applied', 'warn'],
  ['in-doubt', 'in doubt: the connection was lost while it ran', 'bad'],
];

const resultWords = (tally: Tally) =>
  RESULTS.filter(([result]) => tally[result] > 0).map(([result, what, mood]) => ({
    text: `${what} in ${counted(tally[result], 'tenant')}`,
    mood,
  }));

/** The same as lines of text, the last with its end. */
export function changeText(
  change: ChangeDocument & { readonly statements?: readonly string[] },
  tally: Tally | null,
): Html {
  const { action, phase, status, reason, obstacle: text, remedy, usage: used } = change;
  const notes = [
    `${symbolOf(action)} ${phase} ${action} ${subjectOf(change)} — ${reason}`,
    ...(status === 'pending' ? [] : [text === undefined ? status : `${status}: ${text}`]),
    ...(remedy === undefined || remedy === '' ? [] : [`do: ${remedy}`]),
    ...(change.hazards.length === 0 ? [] : [`hazard: ${change.hazards.map((one) => HAZARD_WORDS[one]).join('; ')}`]),
    ...(change.lock === 'NONE' ? [] : [`lock: ${change.lock}`]),
    ...(used === undefined ? [] : [`use: ${usageWords(used)}`]),
    ...(tally === null ? [] : [`result: ${listed(resultWords(tally).map((one) => one.text)) || NOBODY}`]),
  ];
  return html`${linesOf(notes)}\n${(change.statements ?? []).map((statement) => html`${lines(`${statement};`)}\n`)}`;
}

function statements(list: readonly string[]): Content {
  if (list.length === 0) return null;
  return html`<pre class="sql"><code>${list.map((statement, at) => html`${at === 0 ? null : html`\n`}${sqlHtml(statement)}`)}</code></pre>`;
}
