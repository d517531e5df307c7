import type { Change } from '../diff/change.js';
import type { Filled } from './backfill.js';
import type { ChangeOutcome, Outcome, TenantFailure } from './outcome.js';

/** Every kind of event; part of the JSON contract of `apply --events`. */
export const EVENT_KINDS = [
  'run-started',
  'batch-started',
  'tenant-started',
  'change-finished',
  'retry',
  'tenant-waiting',
  'build-progress',
  'build-yielded',
  'backfill-progress',
  'draining',
  'tenant-finished',
  'run-finished',
] as const;

/** Something that an apply does, told while it does it. Times are the observer's. */
export type ApplyEvent =
  /** `pending`: tenants with pending changes. */
  | { readonly kind: 'run-started'; readonly database: string; readonly tenants: number; readonly pending: number }
  | { readonly kind: 'batch-started'; readonly database: string; readonly tenants: number }
  | { readonly kind: 'tenant-started'; readonly database: string; readonly schema: string; readonly changes: number }
  | {
      readonly kind: 'change-finished';
      readonly database: string;
      readonly schema: string;
      readonly change: Change;
      readonly result: ChangeOutcome['result'];
    }
  /** A passing error: tried again in `delay` milliseconds. */
  | {
      readonly kind: 'retry';
      readonly database: string;
      readonly schema: string;
      readonly failure: TenantFailure;
      readonly delay: number;
    }
  /** Another applier, the application's migration, another build or an old snapshot is in the way. */
  | { readonly kind: 'tenant-waiting'; readonly database: string; readonly schema: string; readonly message: string }
  | {
      readonly kind: 'build-progress';
      readonly database: string;
      readonly schema: string;
      readonly index: string;
      /** As pg_stat_progress_create_index names it: `building index: scanning table` … */
      readonly phase: string;
      /** Blocks, else tuples, of the phase; total 0 where the server does not know. */
      readonly done: number;
      readonly total: number;
      readonly unit: 'blocks' | 'tuples';
    }
  /** Sessions waited behind a build for longer than `yieldAfter`. */
  | {
      readonly kind: 'build-yielded';
      readonly database: string;
      readonly schema: string;
      readonly index: string;
      /** Process id of the session that waited longest, and its wait in milliseconds. */
      readonly pid: number;
      readonly waited: number;
    }
  /** How far the rows of a populated table have got the value of a new column. */
  | ({
      readonly kind: 'backfill-progress';
      readonly database: string;
      readonly schema: string;
      readonly table: string;
      readonly column: string;
    } & Filled)
  | { readonly kind: 'draining'; readonly reason: string }
  | {
      readonly kind: 'tenant-finished';
      readonly database: string;
      readonly schema: string;
      readonly outcome: Outcome;
      readonly failure: TenantFailure | null;
    }
  | { readonly kind: 'run-finished'; readonly database: string; readonly outcomes: Readonly<Record<string, number>> };
