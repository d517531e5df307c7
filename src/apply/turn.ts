import type { DesiredPhase } from '../desired-state/model.js';
import type { Crew, Worker } from './crew.js';
import type { TableOrder } from './lock-order.js';
import type { ChangeOutcome, TenantFailure } from './outcome.js';
import type { ApplyRequest } from './request.js';
import type { Lane } from './schedule.js';

/** What was done of one tenant's changes in one turn, and how the turn ended. */
export interface TenantRun {
  readonly changes: readonly ChangeOutcome[];
  /** Whether anything of the tenant was changed, or may have been: a part of one change is something. */
  readonly begun: boolean;
  readonly end: TurnEnd;
}

/** How a tenant's turn ended. */
export type TurnEnd =
  | { readonly kind: 'done' }
  /** What comes next is long work, and this is the lane of short work. */
  | { readonly kind: 'long' }
  /** Nothing new is begun: the run drains, or others want the tenant's lock. */
  | { readonly kind: 'stopped' }
  /** Something of others is in the way: a build, an old snapshot. */
  | { readonly kind: 'waiting'; readonly failure: TenantFailure }
  /** It may go well the next time, by a new diff. */
  | { readonly kind: 'passing'; readonly failure: TenantFailure }
  /** Something is there that the diff did not know of, or is not: others' doing, or what no diff looks at. */
  | { readonly kind: 'overtaken'; readonly failure: TenantFailure }
  | { readonly kind: 'failed'; readonly failure: TenantFailure };

/** What a tenant's turn needs beside the tenant. */
export interface TurnContext {
  readonly worker: Worker;
  readonly crew: Crew;
  readonly lane: Lane;
  readonly phases: readonly DesiredPhase[];
  readonly allowedSchemas: readonly string[];
  readonly order: TableOrder;
  readonly request: Pick<ApplyRequest, 'limits' | 'control' | 'observe'>;
}
