import type { ApplyDocument } from '../apply-json.js';
import { failedDatabaseCount } from '../failed-databases.js';
import type { PlanDocument } from '../plan-json.js';
import { troublesOf } from '../troubles.js';
import { counted, listed, number } from '../words.js';
import type { ReportInput } from './report-input.js';

/** A page's heading, and the line under it. */
export interface Verdict {
  readonly heading: string;
  readonly rest: string;
  /** `good`: nothing is left to do or to look at. */
  readonly mood: 'good' | 'work' | 'warn' | 'bad';
}

/** A page in one sentence and a half. */
export const verdictOf = (input: ReportInput): Verdict =>
  input.run.kind === 'ended' ? ofApply(input.run.outcome, input.plan) : ofPlan(input.plan);

/** Tenants with pending changes, and the classes that they make. */
export function pendingOf(plan: PlanDocument): { readonly tenants: number; readonly classes: number } {
  const classes = plan.driftClasses.filter(({ changes }) => changes.some(({ status }) => status === 'pending'));
  return { tenants: classes.reduce((sum, { tenantCount }) => sum + tenantCount, 0), classes: classes.length };
}

function ofPlan(plan: PlanDocument): Verdict {
  const { summary } = plan;
  const pending = pendingOf(plan);
  const once = plan.databaseChanges.filter(({ status }) => status === 'pending').length;
  const rest = [
    ...(once > 0 && pending.tenants > 0 ? [`${counted(once, 'change')} once a database`] : []),
    ...(summary.blocked > 0 ? [`${number(summary.blocked)} blocked`] : []),
    ...(summary.deferred > 0 ? [`${number(summary.deferred)} deferred`] : []),
    ...(summary.unreadable > 0 ? [`${number(summary.unreadable)} not readable`] : []),
    ...failedDatabaseCount(plan.failedDatabases, 'not planned'),
    `${number(summary.inSync)} in sync`,
  ];
  const unknown = summary.unreadable + plan.failedDatabases.length > 0;
  const bad = unknown || summary.blocked > 0;
  const mood = unknown ? 'bad' : summary.blocked > 0 ? 'warn' : 'work';
  if (pending.tenants > 0) {
    const classes = counted(pending.classes, 'class', 'classes');
    const one = summary.tenants === 1;
    return {
      heading: `${number(pending.tenants)} of ${counted(summary.tenants, 'tenant')} ${one ? 'needs' : 'need'} changes`,
      rest: sentence([`${classes} of drift`, ...rest]),
      mood,
    };
  }
  if (once > 0) return { heading: `${counted(once, 'change')} once a database`, rest: sentence(rest), mood };
  if (bad) return { heading: 'Nothing can be changed yet', rest: sentence(rest), mood };
  const heading = summary.tenants === 0 ? 'No tenant found' : 'No changes';
  return { heading, rest: sentence(rest), mood: 'good' };
}

function ofApply({ summary, failedDatabases, ended }: ApplyDocument, plan: PlanDocument): Verdict {
  const troubles = troublesOf(summary);
  const databases = failedDatabaseCount(failedDatabases, 'left out');
  const rest = [...troubles, ...databases, `${number(summary.inSync + summary.deferred)} in sync`];
  const held = summary.blocked + summary.partial;
  const calm = held > 0 ? 'warn' : 'good';
  const bad = ended !== null || databases.length > 0 || summary.failed + summary.stale + summary.notAttempted > 0;
  const { tenants } = pendingOf(plan);
  const heading =
    tenants === 0 && summary.converged === 0
      ? 'Nothing to apply'
      : `${number(summary.converged)} of ${counted(Math.max(tenants, summary.converged), 'tenant')} converged`;
  return { heading, rest: sentence(rest), mood: bad ? 'bad' : calm };
}

const sentence = (parts: readonly string[]): string => `${listed(parts)}.`;
