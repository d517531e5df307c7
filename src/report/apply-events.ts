import type { ApplyEvent } from '../apply/events.js';
import type { Outcome, TenantFailure } from '../apply/outcome.js';
import { FORMAT_VERSION } from '../format-version.js';
import { type ChangeName, changeName } from '../plan/change-name.js';
import type { FailureDocument } from './apply-json.js';
import type { MemberNames } from './member-names.js';
import { schemaNamed } from './visible.js';

/** One line of `apply --events`; schema/event.schema.json describes it. */
export type EventDocument = EventHead & EventBody;

interface EventHead {
  readonly formatVersion: string;
  /** When it was told; ISO 8601, UTC. */
  readonly time: string;
  readonly database: string | null;
}

interface OfTenant {
  readonly schema: string;
}

type EventBody =
  | { readonly kind: 'run-started'; readonly tenants: number; readonly pending: number }
  | { readonly kind: 'batch-started'; readonly tenants: number }
  | ({ readonly kind: 'tenant-started'; readonly changes: number } & OfTenant)
  | ({ readonly kind: 'change-finished'; readonly change: ChangeName; readonly result: string } & OfTenant)
  | ({ readonly kind: 'retry'; readonly error: FailureDocument; readonly delayMs: number } & OfTenant)
  | ({ readonly kind: 'tenant-waiting'; readonly message: string } & OfTenant)
  | ({
      readonly kind: 'build-progress';
      readonly index: string;
      readonly phase: string;
      readonly done: number;
      readonly total: number;
      readonly unit: 'blocks' | 'tuples';
    } & OfTenant)
  | ({
      readonly kind: 'build-yielded';
      readonly index: string;
      readonly pid: number;
      readonly waitedMs: number;
    } & OfTenant)
  | ({
      readonly kind: 'backfill-progress';
      readonly table: string;
      readonly column: string;
      readonly rows: number;
      readonly done: number;
      readonly total: number;
      readonly unit: 'blocks';
    } & OfTenant)
  | { readonly kind: 'draining'; readonly reason: string }
  | ({ readonly kind: 'tenant-finished'; readonly outcome: Outcome; readonly error?: FailureDocument } & OfTenant)
  | { readonly kind: 'run-finished'; readonly outcomes: Readonly<Record<string, number>> };

/** How events are written. */
export interface EventOptions {
  /** Hides what names and messages hold of rows; null: values are shown. */
  readonly hide: MemberNames | null;
}

/** An event's document. */
export function eventDocument(event: ApplyEvent, at: Date, options: EventOptions): EventDocument {
  const database = 'database' in event ? event.database : null;
  return { formatVersion: FORMAT_VERSION, time: at.toISOString(), database, ...body(event, options) };
}

function body(event: ApplyEvent, { hide }: EventOptions): EventBody {
  const name = (index: string) => (hide === null ? index : hide.name(index));
  const error = (failure: TenantFailure) => failureDocument(failure, hide);
  switch (event.kind) {
    case 'run-started':
      return { kind: event.kind, tenants: event.tenants, pending: event.pending };
    case 'batch-started':
      return { kind: event.kind, tenants: event.tenants };
    case 'tenant-started':
      return { kind: event.kind, schema: event.schema, changes: event.changes };
    case 'change-finished':
      return { kind: event.kind, schema: event.schema, change: changeName(event.change), result: event.result };
    case 'retry':
      return { kind: event.kind, schema: event.schema, error: error(event.failure), delayMs: event.delay };
    case 'tenant-waiting': {
      const message = schemaNamed(hide === null ? event.message : hide.message(event.message));
      return { kind: event.kind, schema: event.schema, message };
    }
    case 'build-progress': {
      const { kind, schema, phase, done, total, unit } = event;
      return { kind, schema, index: name(event.index), phase, done, total, unit };
    }
    case 'build-yielded': {
      const { kind, schema, pid, waited } = event;
      return { kind, schema, index: name(event.index), pid, waitedMs: waited };
    }
    case 'backfill-progress': {
      const { kind, schema, table, column, rows, done, total } = event;
      return { kind, schema, table, column, rows, done, total, unit: 'blocks' };
    }
    case 'draining':
      return { kind: event.kind, reason: event.reason };
    case 'tenant-finished': {
      const { kind, schema, outcome, failure } = event;
      return { kind, schema, outcome, ...(failure === null ? {} : { error: error(failure) }) };
    }
    case 'run-finished':
      return { kind: event.kind, outcomes: event.outcomes };
  }
}

/** Why a tenant did not converge, as the documents say it. @param hide null: values of rows are shown */
export function failureDocument(failure: TenantFailure, hide: MemberNames | null): FailureDocument {
  const { code, message, sqlstate, remedy } = failure;
  return {
    code,
    message: hide === null ? message : hide.message(message),
    ...(sqlstate === null ? {} : { sqlstate }),
    ...(remedy === null ? {} : { remedy }),
  };
}
