import type { TenantChange } from '../diff/change.js';
import { changeKey } from '../plan/drift-classes.js';
import type { DatabasePlan, PlannedTenant } from '../plan/fleet-plan.js';
import { planDatabase } from '../plan/plan-database.js';
import { NO_PROGRESS } from '../progress.js';
import type { DatabaseRun } from './batch.js';
import type { Standing } from './ledger.js';

/** What a batch's tenants are found to be. */
export interface Introspected {
  readonly tenants: ReadonlyMap<string, PlannedTenant>;
  readonly unreadable: ReadonlyMap<string, string>;
  /** Schemas that statements may name beside the tenant's. */
  readonly extensionSchemas: readonly string[];
}

/** What a tenant is thought to need. Null: nothing is known of it. */
export interface Expectation {
  readonly schema: string;
  /** The tables that are worth a look, and the changes that they should show. */
  readonly known: { readonly tables: ReadonlySet<string>; readonly changes: readonly TenantChange[] } | null;
}

/** That a tenant needs some changes, on tables that some changes are about. What is about no table says nothing of where to look. */
export function expecting(
  schema: string,
  about: readonly TenantChange[],
  changes: readonly TenantChange[] = about,
): Expectation {
  const tables = new Set(about.map(({ change }) => change.table));
  return { schema, known: tables.size === 0 || tables.has('') ? null : { tables, changes } };
}

/**
 * Diffs a batch's tenants anew. Only tables on which something is expected are read first; a tenant that shows just that is
 * as it was thought to be where it matters. One that shows anything else, or of which nothing is known, is read whole: what
 * others did to it meanwhile may reach further.
 */
export async function introspect(run: DatabaseRun, expected: readonly Expectation[]): Promise<Introspected> {
  const narrow = expected.flatMap(({ schema, known }) => (known === null ? [] : [{ schema, ...known }]));
  const focus = new Set(narrow.flatMap(({ tables }) => [...tables]));
  const seen = narrow.length === 0 ? NOTHING : await read(run, narrow, focus);
  const borneOut = new Set(
    narrow.flatMap(({ schema, changes }) => {
      const tenant = seen.tenants.get(schema);
      return tenant !== undefined && needs(tenant.changes) === needs(changes) ? [schema] : [];
    }),
  );
  const others = expected.filter(({ schema }) => !borneOut.has(schema));
  if (others.length === 0) return seen;
  const whole = await read(run, others);
  return {
    ...whole,
    tenants: new Map([...[...seen.tenants].filter(([schema]) => borneOut.has(schema)), ...whole.tenants]),
  };
}

/** How a tenant was found. */
export function standingOf(schema: string, { tenants, unreadable }: Introspected): Standing {
  const tenant = tenants.get(schema);
  if (tenant !== undefined) return { kind: 'read', tenant };
  const message = unreadable.get(schema);
  return message === undefined ? { kind: 'gone' } : { kind: 'unreadable', message };
}

const NOTHING: Introspected = { tenants: new Map(), unreadable: new Map(), extensionSchemas: [] };

async function read(
  { database, crew, request, isNew }: DatabaseRun,
  of: readonly { readonly schema: string }[],
  focus?: ReadonlySet<string>,
): Promise<Introspected> {
  const selection = { schemas: of.map(({ schema }) => schema), exclude: [], allowEmpty: true, allowAbsent: true };
  const asked = { ...request, selection, progress: NO_PROGRESS, ...(focus === undefined ? {} : { focus }) };
  const plan: DatabasePlan = await planDatabase(database, crew.keeper, asked);
  return {
    tenants: new Map(
      plan.tenants.filter((tenant) => !tenant.isNew || isNew(tenant.schema)).map((tenant) => [tenant.schema, tenant]),
    ),
    unreadable: new Map(plan.unreadable.map((tenant) => [tenant.schema, tenant.message])),
    extensionSchemas: plan.extensionSchemas,
  };
}

/** Equal for equal changes, members and all. */
const needs = (changes: readonly TenantChange[]): string =>
  changes.map(({ change, members }) => `${changeKey(change)}\n${JSON.stringify(members)}`).join('\n');
