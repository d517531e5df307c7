import type { Row, Session } from '../database/session.js';
import type { DesiredTable } from '../desired-state/model.js';
import type { Change, TenantChange } from '../diff/change.js';
import { bringsRowsOf } from '../plan/column-of-rows.js';
import { changeKey } from '../plan/drift-classes.js';
import type { DatabasePlan, PlannedTenant, UnreadableTenant } from '../plan/fleet-plan.js';
import { planDatabase } from '../plan/plan-database.js';
import type { PlanRequest } from '../plan/request.js';
import { NO_PROGRESS } from '../progress.js';
import type { DatabaseRun } from './batch.js';
import type { Standing } from './ledger.js';

/** What a batch's tenants are found to be. */
export interface Introspected {
  readonly tenants: ReadonlyMap<string, PlannedTenant>;
  readonly unreadable: ReadonlyMap<string, UnreadableTenant>;
}

/** What a tenant is thought to need. */
export type Expectation =
  /** Nothing is known of it. */
  | { readonly kind: 'unknown'; readonly schema: string }
  /** The tables that are worth a look, and the changes that they should show. */
  | {
      readonly kind: 'known';
      readonly schema: string;
      readonly tables: ReadonlySet<string>;
      readonly changes: readonly TenantChange[];
      /** All changes of which these are left, made by now or not. */
      readonly all: readonly Change[];
    }
  /** It does not exist, and this makes it. */
  | { readonly kind: 'absent'; readonly schema: string; readonly planned: PlannedTenant }
  /** It did not exist before this turn, which made it. */
  | { readonly kind: 'made'; readonly schema: string };

/**
 * That a tenant needs some changes, on tables that some changes are about. What is about no table says nothing of where to
 * look.
 */
export function expecting(
  { schema, changes: about }: PlannedTenant,
  changes: readonly TenantChange[] = about,
): Expectation {
  const tables = new Set(about.map(({ change }) => change.table));
  if (tables.size === 0 || tables.has('')) return { kind: 'unknown', schema };
  return { kind: 'known', schema, tables, changes, all: about.map(({ change }) => change) };
}

/**
 * Diffs a batch's tenants anew. Only tables on which something is expected are read first; a tenant that shows just that is
 * as it was thought to be where it matters. One that shows anything else, or of which nothing is known, is read whole: what
 * others did to it meanwhile may reach further. Of a schema that does not exist yet there is nothing to diff: whether that
 * is still so is all that is asked.
 * @param session reads, and has nothing else to do meanwhile
 * @param how presumes: whether tables that were empty count as empty still, in those that are as expected
 */
export async function introspect(
  run: DatabaseRun,
  session: Session,
  expected: readonly Expectation[],
  { presumes }: { readonly presumes: boolean },
): Promise<Introspected> {
  const narrow = expected.flatMap((one) => (one.kind === 'known' ? [one] : []));
  const all = narrow.flatMap((one) => one.all);
  const focus = new Set([
    ...narrow.flatMap(({ tables }) => [...tables]),
    ...generatedBy(all, run.request.desired.tables),
  ]);
  const seen = narrow.length === 0 ? NOTHING : await read(run, session, narrow, { focus, presumes });
  const borneOut = new Map(
    narrow.flatMap(({ schema, changes }) => {
      const tenant = seen.tenants.get(schema);
      return tenant !== undefined && needs(tenant.changes) === needs(changes) ? [[schema, tenant] as const] : [];
    }),
  );
  for (const tenant of await stillAbsent(session, expected)) borneOut.set(tenant.schema, tenant);
  // Whoever locks some of a tenant's tables has been waited for: not again for the rest of them.
  const locked = new Map([...seen.unreadable].filter(([, { code }]) => code === 'TENANT_LOCKED'));
  const others = expected.filter(({ schema }) => !borneOut.has(schema) && !locked.has(schema));
  const made = others.every(({ kind }) => kind === 'made');
  const whole = others.length === 0 ? NOTHING : await read(run, session, others, { made });
  return {
    tenants: new Map([...borneOut, ...whole.tenants]),
    unreadable: new Map([...locked, ...whole.unreadable]),
  };
}

/**
 * Tables whose index families are generated from rows that come with a change: it may name members, and a tenant that was not
 * looked at there would be called converged.
 */
const generatedBy = (changes: readonly Change[], desired: readonly DesiredTable[]): readonly string[] =>
  desired
    .filter(({ families }) => families.some(({ rows }) => changes.some((change) => bringsRowsOf(rows, change))))
    .map((table) => table.name);

async function stillAbsent(session: Session, expected: readonly Expectation[]): Promise<readonly PlannedTenant[]> {
  const absent = expected.flatMap((one) => (one.kind === 'absent' ? [one.planned] : []));
  if (absent.length === 0) return [];
  const rows = await session.query<Row & { schema: string }>(
    `select n.nspname::text "schema" from pg_catalog.pg_namespace n where n.nspname = any($1::name[])`,
    [absent.map(({ schema }) => schema)],
  );
  const there = new Set(rows.map(({ schema }) => schema));
  return absent.filter(({ schema }) => !there.has(schema));
}

/** How a tenant was found. */
export function standingOf(schema: string, { tenants, unreadable }: Introspected): Standing {
  const tenant = tenants.get(schema);
  if (tenant !== undefined) return { kind: 'read', tenant };
  const unread = unreadable.get(schema);
  return unread === undefined ? { kind: 'gone' } : { kind: 'unreadable', tenant: unread };
}

const NOTHING: Introspected = { tenants: new Map(), unreadable: new Map() };

async function read(
  { database, request, isNew, memory }: DatabaseRun,
  session: Session,
  of: readonly { readonly schema: string }[],
  how: Pick<PlanRequest, 'focus' | 'presumes' | 'made'>,
): Promise<Introspected> {
  const schemas = of.map(({ schema }) => schema);
  const selection = { schemas, exclude: [], allowEmpty: true, allowAbsent: true };
  const asked = { ...request, selection, progress: NO_PROGRESS, counts: false, memory: memory(), again: true, ...how };
  const plan: DatabasePlan = await planDatabase(database, session, asked);
  return {
    tenants: new Map(
      plan.tenants.filter((tenant) => !tenant.isNew || isNew(tenant.schema)).map((tenant) => [tenant.schema, tenant]),
    ),
    unreadable: new Map(plan.unreadable.map((tenant) => [tenant.schema, tenant])),
  };
}

/** Equal for equal changes, members and all. */
const needs = (changes: readonly TenantChange[]): string =>
  changes.map(({ change, members }) => `${changeKey(change)}\n${JSON.stringify(members)}`).join('\n');
