import { groupBy } from '../../collections.js';
import type { FailureDocument, TenantOutcomeDocument } from '../apply-json.js';
import type { DriftClassDocument } from '../plan-json.js';
import { tenantName, withoutSchema } from '../tenant-name.js';
import type { ReportInput, ReportRun, TenantName } from './report-input.js';
import { classLook, END_LOOKS, END_WORDS, type End, IN_SYNC, type Look, UNREADABLE } from './tones.js';

/** Tenants that stand together: cells of one look in the picture, and one list of names. */
export interface TenantGroup {
  readonly look: Look;
  /** `in class 3`, `failed` …: after a number of tenants. */
  readonly words: string;
  /** As people see the tenants: with the database where there are several. */
  readonly names: readonly string[];
  /** The id of the element that says what they need. */
  readonly anchor: string;
  /** Place in `classes`; null: of none. */
  readonly at: number | null;
  /** Null in the page of a plan. */
  readonly end: End | null;
  /** The same for groups of tenants that ended for the same reason. */
  readonly cause: string;
  /** Why they ended so, where an error did it: of the first of them. */
  readonly failure: FailureDocument | null;
}

/** A drift class, its number and what belongs to it. */
export interface ShownClass {
  /** From 1. */
  readonly no: number;
  readonly anchor: string;
  readonly document: DriftClassDocument;
  readonly look: Look;
  readonly groups: readonly TenantGroup[];
}

/**
 * Classes that a page shows in full, and causes and obstacles. A browser opens no page of 50,000 such, which has 100 MB: the
 * other classes are set as text, with the same content.
 */
export const IN_FULL = 500;

/** A page's content before it is markup. */
export interface PageModel {
  readonly input: ReportInput;
  readonly classes: readonly ShownClass[];
  /** All groups in the order of the picture. */
  readonly groups: readonly TenantGroup[];
  /** The place of each in the picture. */
  readonly places: ReadonlyMap<TenantGroup, number>;
  /** Those of no class, in the order of the picture. */
  readonly others: readonly TenantGroup[];
  /** The outcomes of the apply by {@link tenantKey}; null before there are any. */
  readonly outcomes: ReadonlyMap<string, TenantOutcomeDocument> | null;
}

/** Names a tenant among those of all databases. */
export const tenantKey = ({ database, schema }: TenantName): string => `${database}\0${schema}`;

/** The anchor of tenants that need nothing. */
export const IN_SYNC_ANCHOR = 'in-sync';
/** The anchor of tenants that could not be planned. */
export const UNREADABLE_ANCHOR = 'unreadable';
/** The anchor of tenants that the plan does not know any more. */
export const GONE_ANCHOR = 'gone';

/** Sorts a fleet's tenants into the groups that its page shows. */
export function pageModel(input: ReportInput): PageModel {
  const { plan, run } = input;
  const ends = endsOf(run);
  const failures = outcomesOf(run);
  let pending = 0;
  const classes = plan.driftClasses.map((document, at): ShownClass => {
    const has = (status: string) => document.changes.some((change) => change.status === status);
    const look = classLook({ pending: has('pending'), blocked: has('blocked') }, pending);
    if (has('pending')) pending += 1;
    const anchor = `class-${at + 1}`;
    const base = { look, words: `in class ${at + 1}`, anchor, at };
    return { no: at + 1, anchor, document, look, groups: grouped(document.tenants, base) };
  });
  const unreadable = grouped(plan.unreadable, {
    look: UNREADABLE,
    words: 'not readable',
    anchor: UNREADABLE_ANCHOR,
    at: null,
  });
  const inSync = grouped(input.inSync, { look: IN_SYNC, words: 'in sync', anchor: IN_SYNC_ANCHOR, at: null });
  const planned = new Set(
    [...plan.driftClasses.flatMap(({ tenants }) => tenants), ...plan.unreadable, ...input.inSync].map(tenantKey),
  );
  const gone = grouped(
    [...(failures?.values() ?? [])].filter((tenant) => !planned.has(tenantKey(tenant))),
    { look: END_LOOKS.vanished, words: 'not in the plan', anchor: GONE_ANCHOR, at: null },
  );
  const others = [...unreadable, ...gone, ...inSync];
  const groups = inOrder(classes, unreadable, gone, inSync);
  const places = new Map(groups.map((group, at) => [group, at]));
  return { input, classes, groups, places, others, outcomes: failures };

  function grouped(
    tenants: readonly TenantName[],
    base: Pick<TenantGroup, 'look' | 'words' | 'anchor' | 'at'>,
  ): readonly TenantGroup[] {
    const label = (tenant: TenantName) => tenantName(plan, tenant);
    if (tenants.length === 0) return [];
    if (ends === null) return [{ ...base, names: tenants.map(label), end: null, cause: '', failure: null }];
    const endOf = (tenant: TenantName) => ends(tenantKey(tenant));
    const failureOf = (tenant: TenantName) => failures?.get(tenantKey(tenant))?.error ?? null;
    const alike = groupBy(tenants, (tenant) => {
      const failure = failureOf(tenant);
      const message = failure === null ? '' : withoutSchema(failure.message, tenant.schema);
      return JSON.stringify([endOf(tenant), failure?.code, failure?.sqlstate, message]);
    });
    return [...alike].map(([cause, group]): TenantGroup => {
      const [first] = group;
      const end = first === undefined ? null : endOf(first);
      const failure = first === undefined ? null : failureOf(first);
      const look = end === null ? base.look : END_LOOKS[end];
      const words = end === null ? base.words : END_WORDS[end];
      return { ...base, look, words, names: group.map(label), end, cause, failure };
    });
  }
}

function inOrder(
  classes: readonly ShownClass[],
  ...others: readonly (readonly TenantGroup[])[]
): readonly TenantGroup[] {
  const [unreadable = [], ...rest] = others;
  const groups = [...unreadable, ...classes.flatMap((one) => one.groups), ...rest.flat()];
  const order = Object.keys(END_LOOKS);
  const placeOf = ({ end }: TenantGroup) => (end === null ? 0 : order.indexOf(end));
  return groups.toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** What became of a tenant; null: there was no apply, or it had not begun. */
function endsOf(run: ReportRun): ((key: string) => End | null) | null {
  if (run.kind === 'ended') {
    const outcomes = outcomesOf(run);
    return (key) => outcomes?.get(key)?.outcome ?? 'in-sync';
  }
  if (run.kind === 'broken') {
    const seen = new Map(run.seen.map((tenant) => [tenantKey(tenant), tenant.outcome ?? 'unknown'] as const));
    // What was never begun keeps the look of the plan.
    return (key) => seen.get(key) ?? null;
  }
  return null;
}

function outcomesOf(run: ReportRun): ReadonlyMap<string, TenantOutcomeDocument> | null {
  if (run.kind !== 'ended') return null;
  return new Map(run.outcome.tenants.map((tenant) => [tenantKey(tenant), tenant]));
}
