import type { OwnedRead } from '../catalog/owned-reads.js';
import { diffTenant, type TenantDiff } from '../diff/diff-tenant.js';
import { isFleetWide, type Question } from '../diff/facts.js';
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
    const memo = memoOf(representative, apart, fleet);
    const diff = memo?.known ?? diffTenant(shape, contextOf(representative, sheet, fleet));
    if (sheet.open.size > 0) {
      const schemas = rest.map((tenant) => tenant.schema);
      await fleet.answers.fetch(sheet.open.values(), schemas, (name) => representative.tables.get(name) ?? null);
      continue;
    }
    memo?.remember(diff, [...sheet.asked.values()]);
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
 * What makes a tenant of nothing, and that tenants which were made so have all that they need: by the list of their tables, and by
 * what they look like. A process that makes one tenant after another tells both once, and has the statements looked over once.
 */
const told = new WeakMap<FleetContext['tables'], Map<string, TenantDiff>>();

/** What is known of a tenant that is still to be made, or was made a moment ago; null for any other. */
function memoOf(tenant: TenantRead, apart: (tenant: TenantRead) => readonly OwnedRead[], fleet: FleetContext) {
  const { isNew, hash } = tenant;
  if (!isNew && !fleet.made) return null;
  // Of nothing there is no hash. Digests of definitions are of this reading's seed.
  const owned = apart(tenant).map(({ table, phase, index }) => [table, phase, index]);
  const key = JSON.stringify([hash, owned]);
  const known = told.get(fleet.tables) ?? new Map<string, TenantDiff>();
  told.set(fleet.tables, known);
  return {
    known: known.get(key),
    remember(diff: TenantDiff, asked: readonly Question[]) {
      // What one tenant's rows say holds for no other; and what a new one still needs is told of itself.
      const isOfAll = (question: Question) => isFleetWide(question) || question.kind === 'view';
      if (isNew || (diff.changes.length === 0 && asked.every(isOfAll))) known.set(key, diff);
    },
  };
}
