import type { ApplyDocument } from '../apply-json.js';
import type { PlanDocument } from '../plan-json.js';
import { number, shardOf } from '../words.js';
import { aboutSection } from './about-section.js';
import { pageScript, pageStyle } from './assets.js';
import { banner, instant } from './banner.js';
import { classesSection } from './class-section.js';
import { swatch } from './fleet-picture.js';
import { fleetSection } from './fleet-section.js';
import { type Content, type Html, html } from './html.js';
import { obstaclesSection } from './obstacles-section.js';
import { noticesSection, onceSection, othersSection } from './other-sections.js';
import { outcomeSection } from './outcome-section.js';
import { type PageModel, pageModel } from './page-model.js';
import type { ReportInput } from './report-input.js';
import { REPORT_SIGNATURE } from './signature.js';
import { hazardsSection, phasesSection } from './tables.js';
import { END_LOOKS, IN_SYNC, type Look, PENDING, UNREADABLE } from './tones.js';
import { pendingOf, verdictOf } from './verdict.js';

/**
 * A plan, or what an apply made of it, as one page of HTML that needs nothing else: no network, and no script to be read
 * (search and the picture's pointer want one). Text out of databases is text in it, whatever it holds.
 */
export function reportPage(input: ReportInput): string {
  const model = pageModel(input);
  const sections: readonly (readonly [id: string, title: string, section: Html | null])[] = [
    ['outcomes', 'Outcomes', outcomeSection(model)],
    ['phases', 'Phases', phasesSection(model)],
    ['hazards', 'Hazards', hazardsSection(model)],
    ['obstacles', 'Blocked', obstaclesSection(model)],
    ['notices', 'Notices', noticesSection(model)],
    ['once', 'Once', onceSection(model)],
    ['classes', 'Classes', classesSection(model)],
    ['others', 'Others', othersSection(model)],
  ];
  const shown = sections.filter(([, , section]) => section !== null);
  const verdict = verdictOf(input);
  const { markup } = html`
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${pageStyle.hash}'; script-src '${pageScript.hash}'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="generator" content="trueup ${input.plan.trueupVersion}">
<link rel="icon" href="data:,">
<title>${kindOf(input)}: ${verdict.heading}</title>
<style>${pageStyle.text}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header class="top">
<div class="top-line"><p class="brand">trueup <span>${kindOf(input)}</span></p><nav aria-label="Sections"><a href="#fleet">Fleet</a>${shown.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}<a href="#about">About</a></nav></div>
<div class="verdict ${verdict.mood}"><h1>${verdict.heading}</h1><p>${verdict.rest}</p></div>
<p class="context">${context(input)}</p>
</header>
<main id="main" tabindex="-1">
${banner(input)}
${figures(model)}
${fleetSection(model)}
${shown.map(([, , section]) => section)}
${aboutSection(model)}
</main>
<footer><p>Made by trueup ${input.plan.trueupVersion} at ${instant(input.writtenAt)}, from a plan of ${instant(new Date(input.plan.createdAt))}.</p></footer>
<script>${pageScript.text}</script>
</body>
</html>
`;
  return `${REPORT_SIGNATURE}${markup}`;
}

const kindOf = ({ run }: ReportInput): string => (run.kind === 'plan' ? 'plan' : 'apply');

/** Which fleet, when, by whom. */
function context({ plan, run, writtenAt }: ReportInput): Content {
  const [first] = plan.databases;
  const all = plan.databases.length + plan.failedDatabases.length;
  const where =
    first === undefined
      ? 'no database'
      : all > 1
        ? `${plan.failedDatabases.length === 0 ? '' : `${number(plan.databases.length)} of `}${number(all)} databases`
        : `database ${first.name}${first.host === 'embedded' ? ' (embedded)' : ` at ${first.host}`}, PostgreSQL ${first.serverVersion}, role ${first.role}`;
  const shard = shardOf(plan.selection.shard).replace(/: $/u, ', ');
  const skipped = plan.desiredState.skippedPhases;
  const scope = skipped.length === 0 ? '' : ` · not checked: ${skipped.join(', ')}`;
  const when =
    run.kind === 'plan'
      ? `planned ${instant(new Date(plan.createdAt))}`
      : `planned ${instant(new Date(plan.createdAt))}, written ${instant(writtenAt)}`;
  return `${shard}${where} · ${when}${scope}`;
}

interface Figure {
  readonly look: Look | null;
  readonly value: number;
  readonly words: string;
}

function figures({ input: { plan, run } }: PageModel): Html {
  const list = run.kind === 'ended' ? ofApply(run.outcome) : ofPlan(plan);
  return html`<ul class="figures">${list.map(
    ({ look, value, words }) =>
      html`<li class="figure${value === 0 ? ' zero' : ''}"><span class="value">${number(value)}</span> <span class="words">${look === null ? null : swatch(look)}${words}</span></li>`,
  )}</ul>`;
}

const allTenants = ({ tenants }: { readonly tenants: number }): Figure => ({
  look: null,
  value: tenants,
  words: tenants === 1 ? 'tenant' : 'tenants',
});

const ofPlan = (plan: PlanDocument): readonly Figure[] => [
  allTenants(plan.summary),
  { look: PENDING, value: pendingOf(plan).tenants, words: 'to change' },
  { look: END_LOOKS.blocked, value: plan.summary.blocked, words: 'blocked' },
  { look: END_LOOKS.deferred, value: plan.summary.deferred, words: 'deferred' },
  ...(plan.summary.unreadable > 0 ? [{ look: UNREADABLE, value: plan.summary.unreadable, words: 'not readable' }] : []),
  { look: IN_SYNC, value: plan.summary.inSync, words: 'in sync' },
];

function ofApply({ summary }: ApplyDocument): readonly Figure[] {
  const rare: readonly Figure[] = [
    { look: END_LOOKS.partial, value: summary.partial, words: 'in part' },
    { look: END_LOOKS.stale, value: summary.stale, words: 'stale' },
    { look: END_LOOKS.vanished, value: summary.vanished, words: 'vanished' },
    { look: END_LOOKS['not-attempted'], value: summary.notAttempted, words: 'not attempted' },
  ];
  return [
    allTenants(summary),
    { look: END_LOOKS.converged, value: summary.converged, words: 'converged' },
    { look: END_LOOKS.failed, value: summary.failed, words: 'failed' },
    { look: END_LOOKS.blocked, value: summary.blocked, words: 'blocked' },
    ...rare.filter(({ value }) => value > 0),
    { look: IN_SYNC, value: summary.inSync + summary.deferred, words: 'in sync' },
  ];
}
