import type { IndexUsage } from '../catalog/fact-types.js';
import type { IndexFamily } from '../desired-state/model.js';
import type { Change, Member } from '../diff/change.js';
import type { DriftClass, FleetPlan } from '../plan/fleet-plan.js';
import { HIDDEN } from './row-values.js';

/** What one tenant of a class fills into one of its changes. */
export interface TenantMembers {
  readonly database: string;
  readonly schema: string;
  readonly members: readonly Member[];
}

/** Who needs which members of the change at a place in a class; empty unless it is a family's. */
export function membersOf(group: DriftClass, at: number): readonly TenantMembers[] {
  return group.tenants.flatMap(({ database, schema, changes }) => {
    const members = changes[at]?.members ?? null;
    return members === null ? [] : [{ database, schema, members }];
  });
}

/** How many members the change at a place in a class stands for, over all of its tenants. */
export const memberCount = (group: DriftClass, at: number): number =>
  membersOf(group, at).reduce((sum, tenant) => sum + tenant.members.length, 0);

/** Scans and bytes of the indexes that the changes at these places in a class drop, over all of its tenants. */
export function usageOf(group: DriftClass, places: readonly number[]): IndexUsage | undefined {
  const known = group.tenants.flatMap((tenant) => places.flatMap((at) => tenant.changes[at]?.usage ?? []));
  if (known.length === 0) return undefined;
  return {
    scans: known.reduce((sum, usage) => sum + usage.scans, 0),
    bytes: known.reduce((sum, usage) => sum + usage.bytes, 0),
  };
}

/** The family that a change is about. */
export function familyOf(plan: FleetPlan, change: Change): IndexFamily | null {
  const table = plan.desired.tables.find((candidate) => candidate.name === change.table);
  return table?.families.find((family) => family.label === change.family) ?? null;
}

/** A member's name; without `showValues` with what comes from rows left out: `idx_items_used_…`. */
export function memberName(family: IndexFamily | null, member: Member, showValues: boolean): string {
  if (showValues) return member.index ?? HIDDEN;
  if (family === null) return HIDDEN;
  const fromLists = new Set(
    family.lists.flatMap((list) =>
      list.entries.flatMap((entry) => Object.keys(entry).map((key) => `${list.name}.${key}`)),
    ),
  );
  return family.name
    .map((part) => {
      if (typeof part === 'string') return part;
      return fromLists.has(part.variable) ? (member[part.variable] ?? HIDDEN) : HIDDEN;
    })
    .join('');
}
