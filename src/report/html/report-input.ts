import type { Outcome } from '../../apply/outcome.js';
import type { ApplyDocument } from '../apply-json.js';
import type { PlanDocument } from '../plan-json.js';

/** All that a page shows. The documents are those of `--json`: what they hide, the page cannot show. */
export interface ReportInput {
  readonly plan: PlanDocument;
  /** Tenants that need nothing, which the document only counts. */
  readonly inSync: readonly TenantName[];
  readonly run: ReportRun;
  /** Whether the documents hold values of rows; the page says so. */
  readonly showValues: boolean;
  /** When the page was made. */
  readonly writtenAt: Date;
}

/** A tenant, by its database and its schema. */
export interface TenantName {
  readonly database: string;
  readonly schema: string;
}

/** How far an apply has come when its page is written. */
export type ReportRun =
  /** No apply: `plan`. */
  | { readonly kind: 'plan' }
  /** By `apply`, before it was allowed to change anything. */
  | { readonly kind: 'awaiting' }
  /** By `apply`, just before its first change: what is left of a run that was killed. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'ended'; readonly outcome: ApplyDocument }
  /** An error ended it, and there is no outcome. */
  | { readonly kind: 'broken'; readonly error: ReportError; readonly seen: SeenTenants };

/** An error as commands show it. */
export interface ReportError {
  readonly code: string;
  readonly message: string;
  readonly where: string | null;
  readonly remedy: string | null;
}

/** What was told of a run's tenants while it went on: how each ended; null: it was begun, and nothing is known of its end. */
export type SeenTenants = readonly (TenantName & { readonly outcome: Outcome | null })[];
