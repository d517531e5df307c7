import { ofSeveral } from '../tenant-name.js';
import { number } from '../words.js';
import { type Content, type Html, html } from './html.js';
import type { PageModel } from './page-model.js';

/** What the page is about, to the letter: databases, desired state, and what its text hides. */
export function aboutSection(model: PageModel): Html {
  const { plan, showValues } = model.input;
  const { desiredState } = plan;
  const backends = Object.entries(desiredState.backends).map(
    ([phase, { value, resolved, source }]) =>
      html`<tr><th scope="row">backend of ${phase}</th><td>${resolved === value ? value : `${value}, resolved to ${resolved}`}</td><td>${source}</td></tr>`,
  );
  const parameters = Object.entries(desiredState.parameters).map(
    ([name, { value, source }]) =>
      html`<tr><th scope="row">${name}</th><td>${value === null ? 'none' : String(value)}</td><td>${source}</td></tr>`,
  );
  return html`<section id="about" aria-labelledby="about-title">
<h2 id="about-title">About this plan</h2>
${databases(model)}
<dl class="facts">
${fact('Plan', html`<code>${plan.planId}</code>`)}
${fact('Desired state', html`<code>${desiredState.digest}</code>`)}
${fact('Phases', [desiredState.phases.join(', '), desiredState.skippedPhases.length === 0 ? '' : `; not checked: ${desiredState.skippedPhases.join(', ')}`])}
${fact('Distinct shapes', number(plan.summary.shapes))}
${fact('Values out of rows', showValues ? 'shown (--show-values): this page may hold customers’ names' : 'hidden')}
</dl>
${
  backends.length + parameters.length === 0
    ? null
    : html`<details><summary>Backends and parameters</summary><div class="table-frame"><table class="plain-table"><thead><tr><th scope="col">What</th><th scope="col">Value</th><th scope="col">From</th></tr></thead><tbody>${backends}${parameters}</tbody></table></div></details>`
}
</section>`;
}

const fact = (term: string, what: Content): Html => html`<div><dt>${term}</dt><dd>${what}</dd></div>`;

function databases({ input: { plan, inSync } }: PageModel): Html {
  const several = ofSeveral(plan);
  const rows = plan.databases.map(({ id, host, name, serverVersion, role }) => {
    const mine = (tenants: readonly { readonly database: string }[]) =>
      tenants.filter(({ database }) => database === id).length;
    const drifted = plan.driftClasses.reduce((sum, { tenants }) => sum + mine(tenants), 0);
    const counts = several
      ? [drifted, mine(plan.unreadable), mine(inSync)].map((count) => html`<td class="number">${number(count)}</td>`)
      : null;
    const server = host === 'embedded' ? 'embedded' : host;
    return html`<tr><th scope="row">${several ? id : name}</th>${several ? html`<td>${name}</td>` : null}<td>${server}</td><td>PostgreSQL ${serverVersion}</td><td>${role}</td>${counts}</tr>`;
  });
  const heads = [
    'Database',
    ...(several ? ['Name'] : []),
    'Host',
    'Server',
    'Role',
    ...(several ? ['In a class', 'Not readable', 'In sync'] : []),
  ];
  return html`<div class="table-frame" role="group" aria-label="Databases" tabindex="0"><table class="plain-table"><thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
