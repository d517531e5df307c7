import { groupBy } from '../../collections.js';
import type { ChangeDocument } from '../change-document.js';
import { counted, number } from '../words.js';
import { subjectOf } from './change-html.js';
import { type Html, html } from './html.js';
import { IN_FULL, type PageModel, type ShownClass } from './page-model.js';
import { classLinks, moreBelow } from './tables.js';

/** What is blocked, then what is deferred: each reason once, with its remedy and the classes that it holds back. */
export function obstaclesSection({ classes }: PageModel): Html | null {
  const blocked = obstaclesOf(classes, 'blocked');
  const deferred = obstaclesOf(classes, 'deferred');
  const all = [...blocked, ...deferred];
  if (all.length === 0) return null;
  const title = [...(blocked.length > 0 ? ['Blocked'] : []), ...(deferred.length > 0 ? ['deferred'] : [])].join(
    ' and ',
  );
  return html`<section id="obstacles" aria-labelledby="obstacles-title">
<h2 id="obstacles-title">${title.charAt(0).toUpperCase() + title.slice(1)}</h2>
<ul class="cards">${all.slice(0, IN_FULL).map(obstacleHtml)}</ul>
${moreBelow(all.length - IN_FULL, 'reason')}
</section>`;
}

interface Obstacle {
  readonly change: ChangeDocument;
  readonly subjects: readonly string[];
  readonly classes: readonly ShownClass[];
}

function obstaclesOf(classes: readonly ShownClass[], status: ChangeDocument['status']): readonly Obstacle[] {
  const held = classes.flatMap((one) =>
    one.document.changes.flatMap((change) => (change.status === status ? [{ one, change }] : [])),
  );
  const alike = groupBy(held, ({ change }) => JSON.stringify([change.obstacle ?? change.reason, change.remedy ?? '']));
  return [...alike.values()].flatMap((group): readonly Obstacle[] => {
    const [first] = group;
    if (first === undefined) return [];
    const subjects = new Set(group.map(({ change }) => `${change.action} ${subjectOf(change)}`));
    return [{ change: first.change, subjects: [...subjects], classes: [...new Set(group.map(({ one }) => one))] }];
  });
}

/** Subjects of one reason; each class has its own. */
const SUBJECTS = 20;

function obstacleHtml({ change, subjects, classes }: Obstacle): Html {
  const tenants = classes.reduce((sum, { document }) => sum + document.tenantCount, 0);
  const { status, obstacle, reason, remedy } = change;
  const few = subjects.slice(0, SUBJECTS);
  const more = subjects.length > few.length ? ` and ${number(subjects.length - few.length)} more` : null;
  return html`<li class="card ${status}">
<p><span class="chip ${status}">${status}</span> <strong>${counted(tenants, 'tenant')}</strong> <span class="links">${classes.length === 1 ? 'class' : 'classes'} ${classLinks(classes)}</span></p>
<p>${obstacle ?? reason}</p>
<p class="subjects">${few.map((subject, at) => html`${at === 0 ? null : ' · '}<code>${subject}</code>`)}${more}</p>
${remedy === undefined || remedy === '' ? null : html`<p class="remedy"><span class="do">Do</span> ${remedy}</p>`}
</li>`;
}
