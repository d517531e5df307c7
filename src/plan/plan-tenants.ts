import type { IndexUsage } from '../catalog/fact-types.js';
import type { OwnedRead } from '../catalog/owned-reads.js';
import { familyNamePattern, isDigested } from '../catalog/ownership-filter.js';
import { groupBy, oncePer } from '../collections.js';
import type { TenantChange } from '../diff/change.js';
import { type TenantDiff, tableKeys } from '../diff/diff-tenant.js';
import { questionKey } from '../diff/facts.js';
import { formerMember } from '../diff/former-members.js';
import { settle } from '../diff/settle.js';
import type { Answers } from './answers.js';
import { withoutBuilds } from './await-builds.js';
import { askingOf, contextOf, type FleetContext, factsOf, fetchOpen, homeOf } from './fleet-context.js';
import { refuseHeld } from './held-methods.js';
import { noteKeyFields } from './key-fields.js';
import { withoutMissing } from './missing-names.js';
import { inOrder } from './order.js';
import { planFamilies } from './plan-families.js';
import { planGroups } from './plan-groups.js';
import { settleMembers } from './settle-members.js';
import { withoutTaken } from './taken-names.js';
import type { TenantRead, TenantResult } from './tenant-read.js';

/** Diffs tenants by shape: one diff a group of tenants that look alike and gave the same answers. */
export async function planTenants(
  tenants: readonly TenantRead[],
  fleet: FleetContext,
): Promise<ReadonlyMap<string, TenantResult>> {
  const isCandidate = candidateOf(fleet);
  const diffs = await diffsOf(tenants, isCandidate, fleet);
  const settled = await settledOf(tenants, isCandidate, diffs, fleet);
  const mayHaveMembers = memberHolders(fleet);
  const detailed = await fleet.readOwned(
    tenants.flatMap((tenant) => (settled.has(tenant.schema) || !mayHaveMembers(tenant) ? [] : tenant.schema)),
  );
  const ownedBy = (tenant: TenantRead) => detailed.get(tenant.schema) ?? tenant.owned;
  const members = new Map(tenants.map((tenant) => [tenant.schema, ownedBy(tenant).filter(isCandidate)]));
  const withFamilies = await planFamilies({ tenants, members, settled }, diffs, fleet);
  const results = new Map<string, TenantResult>();
  const found = new Map<string, readonly TenantChange[]>();
  for (const tenant of tenants) {
    const family = withFamilies.get(tenant.schema);
    if (family !== undefined && 'problem' in family) {
      results.set(tenant.schema, family);
      continue;
    }
    const alone = diffs.get(tenant.schema)?.changes ?? [];
    const changes = [...alone.map((change) => ({ change, members: null })), ...(family?.changes ?? [])];
    if (changes.length === 0) results.set(tenant.schema, IN_SYNC);
    else {
      const noted = noteKeyFields(changes, fleet.tables);
      found.set(tenant.schema, refuseHeld(noted, fleet.held, fleet.tables, tenant.tables.size === 0));
    }
  }
  const everyTable = tableKeys(fleet.tables);
  const wanted = (await withoutBuilds(tenants, found, ownedBy, fleet)).map(([tenant, items]) => {
    const all = items.map((item) => withUsage(item, tenant.schema, fleet.answers));
    return [tenant, settle(all, everyTable)] as const;
  });
  const able = await withoutMissing(wanted, everyTable, fleet);
  for (const [tenant, all] of await withoutTaken(able, everyTable, fleet))
    results.set(tenant.schema, { changes: all.length === 0 ? all : inOrder(all, everyTable) });
  return results;
}

/** Whether an owned index may be a family's member, which is compared tenant by tenant, and not with its table. */
type IsCandidate = (read: OwnedRead) => boolean;

function candidateOf(fleet: FleetContext): IsCandidate {
  const tables = new Map(
    fleet.tables.map((table) => [
      table.name,
      {
        indexes: new Set(table.indexes.map((index) => index.name)),
        phases: new Set(table.families.map((family) => family.phase)),
        patterns: table.families.map((family) => new RegExp(familyNamePattern(family), 'su')),
      },
    ]),
  );
  const isFormer = formerMember(fleet.desired.phases);
  return (read) => {
    const declared = tables.get(read.table);
    // A family's names may hold a declared one: `items_${shop}` holds items_all.
    if (declared?.indexes.has(read.index.name)) return false;
    if (declared === undefined || declared.patterns.length === 0) return isFormer(read.table, read.index);
    // What another phase owns is compared with that phase's declared indexes, unless it stands in a member's place.
    const ofFamily = read.phase === null || declared.phases.has(read.phase);
    return ofFamily || declared.patterns.some((pattern) => pattern.test(read.index.name));
  };
}

/** The tenants' diffs without their families: tenants look alike whose tables and other owned indexes do. */
async function diffsOf(
  tenants: readonly TenantRead[],
  isCandidate: IsCandidate,
  fleet: FleetContext,
): Promise<ReadonlyMap<string, TenantDiff>> {
  const apartOf = oncePer((owned: TenantRead['owned']) => owned.filter((read) => !isCandidate(read)));
  const textOf = oncePer((owned: TenantRead['owned']) =>
    apartOf(owned)
      .map((read) => `${read.table}.${read.index.name}.${read.definition}.${read.index.where}`)
      .join('\0'),
  );
  const alike = groupBy(
    tenants,
    (tenant) => `${tenant.hash}\0${tenant.isNew}\0${homeOf(tenant, fleet) ?? ''}\0${textOf(tenant.owned)}`,
  );
  const diffs = new Map<string, TenantDiff>();
  await planGroups(alike.values(), (tenant) => apartOf(tenant.owned), fleet, diffs);
  return diffs;
}

const IN_SYNC: TenantResult = { changes: [] };

/** Figures differ from tenant to tenant and are no part of what a class has in common: each tenant's stand beside it. */
function withUsage(item: TenantChange, schema: string, answers: Answers): TenantChange {
  if (item.change.action !== 'drop-index') return item;
  const names = item.members?.map((member) => member.index ?? '') ?? [item.change.object];
  const found = names.flatMap((index) => {
    const question = { kind: 'usage', index } as const;
    return (answers.of(schema, questionKey(question), question) as IndexUsage | undefined) ?? [];
  });
  if (found.length === 0) return item;
  const total = (of: (usage: IndexUsage) => number) => found.reduce((sum, usage) => sum + of(usage), 0);
  return { ...item, usage: { scans: total((usage) => usage.scans), bytes: total((usage) => usage.bytes) } };
}

/**
 * Tells whether anything may stand under a digested member's name. Where phases are left out, an index of a method that none of
 * the others looks at was not read at all (see {@link Relevance.prefixes}): no member found says nothing of a table then.
 */
function memberHolders({ desired, tables }: FleetContext): (tenant: TenantRead) => boolean {
  const isCut = desired.phases.some((phase) => !phase.selected);
  const unread = isCut ? tables.filter(isDigested).map(({ name }) => name) : [];
  return ({ members, tables: held }) => members.size > 0 || unread.some((table) => held.has(table));
}

/** Tenants whose digested members are in order, if nothing else stands in the way of saying so. */
async function settledOf(
  tenants: readonly TenantRead[],
  isCandidate: IsCandidate,
  diffs: ReadonlyMap<string, TenantDiff>,
  fleet: FleetContext,
): Promise<ReadonlySet<string>> {
  const tables = new Set(fleet.tables.filter(isDigested).map((table) => table.name));
  if (tables.size === 0) return new Set();
  const sources = new Set(
    fleet.tables.filter(isDigested).flatMap((table) => table.families.flatMap((family) => family.rows?.table ?? [])),
  );
  const needed = [...tables, ...sources];
  const holdsAll = oncePer((held: TenantRead['tables']) => needed.every((table) => held.has(table)));
  // Whatever is more than members could be one under another name, or what an interrupted run left.
  const hasMore = oncePer((owned: TenantRead['owned']) =>
    owned.some((read) => tables.has(read.table) && isCandidate(read)),
  );
  const replaces = oncePer((diff: TenantDiff | undefined) =>
    [...tables].some((table) => (diff?.replaced.get(table)?.size ?? 0) > 0),
  );
  const open = tenants.filter(
    (tenant) =>
      !tenant.isNew && holdsAll(tenant.tables) && !hasMore(tenant.owned) && !replaces(diffs.get(tenant.schema)),
  );
  return settleMembers(open, fleet.kinds, fleet, async (tenant, attempt) => {
    for (;;) {
      const sheet = factsOf(tenant, fleet);
      const result = attempt(contextOf(tenant, sheet, fleet));
      if (sheet.open.size === 0) return result;
      await fetchOpen([askingOf(tenant, sheet)], fleet);
    }
  });
}
