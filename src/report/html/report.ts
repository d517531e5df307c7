import type { FleetOutcome } from '../../apply/fleet-outcome.js';
import type { FleetPlan } from '../../plan/fleet-plan.js';
import { applyDocument } from '../apply-json.js';
import { planDocument } from '../plan-json.js';
import { reportPage } from './page.js';
import type { ReportError, ReportRun, SeenTenants } from './report-input.js';

/** How far an apply has come, for {@link htmlReport}. */
export type ReportedRun =
  /** No apply, or one that may not change anything yet, or one that is about to. */
  | { readonly kind: 'plan' | 'awaiting' | 'begun' }
  /** @see ApplyDocument.retryCommand */
  | { readonly kind: 'ended'; readonly outcome: FleetOutcome; readonly retry: string | null }
  /** An error ended it: what it told of its tenants by then. */
  | { readonly kind: 'broken'; readonly error: ReportError; readonly seen: SeenTenants };

/** What a page shows, beside what the documents hold. */
export interface HtmlReportOptions {
  /** Whether values that come from rows are shown. */
  readonly showValues: boolean;
  /** When the page was made; now, unless given. */
  readonly writtenAt?: Date;
}

/**
 * A plan, or what an apply made of it, as one self-contained page of HTML. Values of rows stay out of it unless
 * `showValues`.
 *
 * @example
 * await writeFile('plan.html', htmlReport(plan, { kind: 'plan' }, { showValues: false }));
 */
export function htmlReport(plan: FleetPlan, run: ReportedRun, options: HtmlReportOptions): string {
  const inSync = plan.databases.flatMap(({ tenants }) =>
    tenants.flatMap(({ database, schema, changes }) => (changes.length === 0 ? [{ database, schema }] : [])),
  );
  return reportPage({
    plan: planDocument(plan, options),
    inSync,
    run: runOf(run, options.showValues),
    showValues: options.showValues,
    writtenAt: options.writtenAt ?? new Date(),
  });
}

function runOf(run: ReportedRun, showValues: boolean): ReportRun {
  if (run.kind !== 'ended') return run;
  return { kind: 'ended', outcome: applyDocument(run.outcome, { showValues, retry: run.retry }) };
}
