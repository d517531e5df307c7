import type { OwnedRead } from '../catalog/owned-reads.js';
import { diffTenant, type TenantDiff } from '../diff/diff-tenant.js';
import { contextOf, type FleetContext, factsOf } from './fleet-context.js';
import type { TenantRead } from './tenant-read.js';

/** Refines a group by the answers its tenants give, until each part needs one diff. */
export async function planGroup(
  group: readonly TenantRead[],
  apart: (tenant: TenantRead) => readonly OwnedRead[],
  fleet: FleetContext,
  diffs: Map<string, TenantDiff>,
): Promise<void> {
  let rest = group;
  while (rest.length > 0) {
    const [representative] = rest;
    if (representative === undefined) return;
    const { schema } = representative;
    const sheet = factsOf(representative, fleet);
    const shape = {
      tables: new Map([...representative.tables].map(([name, table]) => [name, table.shape])),
      owned: apart(representative),
    };
    const known = representative.isNew ? makings.get(fleet.tables) : undefined;
    const diff = known ?? diffTenant(shape, contextOf(representative, sheet, fleet));
    if (sheet.open.size > 0) {
      const schemas = rest.map((tenant) => tenant.schema);
      await fleet.answers.fetch(sheet.open.values(), schemas, (name) => representative.tables.get(name) ?? null);
      continue;
    }
    if (representative.isNew) makings.set(fleet.tables, diff);
    const others: TenantRead[] = [];
    const isLike = fleet.answers.likeness(schema, sheet.asked);
    for (const tenant of rest) {
      if (tenant === representative || isLike(tenant.schema)) diffs.set(tenant.schema, diff);
      else others.push(tenant);
    }
    rest = others;
    fleet.progress.advance(group.length - others.length);
  }
}

/**
 * What makes a tenant of nothing, by the tables that it is to have: nothing is there that anything could be asked about, or
 * agreed to. A process that makes one tenant after another tells it once, and has the statements looked over once.
 */
const makings = new WeakMap<FleetContext['tables'], TenantDiff>();
