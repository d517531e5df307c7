import type { OwnedRead } from '../catalog/owned-reads.js';
import { chunk, oncePerObject } from '../collections.js';
import { diffTenant, type TenantDiff } from '../diff/diff-tenant.js';
import { isFleetWide, type Question } from '../diff/facts.js';
import { type Asking, contextOf, type FleetContext, factsOf, fetchOpen, homeOf } from './fleet-context.js';
import type { TenantRead } from './tenant-read.js';

/** Groups that ask together: the questions of more would take memory, and nobody would see that work goes on. */
const GROUPS_AT_ONCE = 1000;

/**
 * Refines groups of tenants that look alike by the answers that their tenants give, until each part needs one diff. Groups
 * ask together: where every tenant has a look of its own each would wait for answers of its own, several times.
 */
export async function planGroups(
  groups: Iterable<readonly TenantRead[]>,
  apart: (tenant: TenantRead) => readonly OwnedRead[],
  fleet: FleetContext,
  diffs: Map<string, TenantDiff>,
): Promise<void> {
  for (const part of chunk([...groups], GROUPS_AT_ONCE)) {
    let waiting = part.map((group) => ({ rest: group }));
    while (waiting.length > 0) {
      const asking = waiting.flatMap(({ rest }) => planGroup(rest, apart, fleet, diffs) ?? []);
      await fetchOpen(asking, fleet);
      waiting = asking;
    }
  }
}

interface AskingGroup extends Asking {
  /** Those that are not told yet. */
  readonly rest: readonly TenantRead[];
}

/** As far as the answers go that are there: what a part of the group asks, or null at the end. */
function planGroup(
  group: readonly TenantRead[],
  apart: (tenant: TenantRead) => readonly OwnedRead[],
  fleet: FleetContext,
  diffs: Map<string, TenantDiff>,
): AskingGroup | null {
  let rest = group;
  for (;;) {
    const [representative] = rest;
    if (representative === undefined) return null;
    const { schema } = representative;
    const sheet = factsOf(representative, fleet);
    const memo = memoOf(representative, apart, fleet);
    const diff = memo?.known ?? diffTenant(apart(representative), contextOf(representative, sheet, fleet));
    if (sheet.open.size > 0)
      return { rest, sheet, schemas: rest.map((tenant) => tenant.schema), tables: representative.tables };
    memo?.remember(diff, [...sheet.asked.values()]);
    const others: TenantRead[] = [];
    const isLike = fleet.answers.likeness(schema, sheet.asked);
    for (const tenant of rest) {
      if (tenant === representative || isLike(tenant.schema)) diffs.set(tenant.schema, diff);
      else others.push(tenant);
    }
    fleet.progress.advance(rest.length - others.length);
    rest = others;
  }
}

/**
 * Diffs that outlive a plan, by the declared tables and by what tenants look like: what makes a new tenant, and that one which
 * was made so needs nothing more. A process that makes one tenant after another diffs once, and checks the statements once.
 */
const told = oncePerObject((_tables: FleetContext['tables']) => new Map<string, TenantDiff>());

/** What is known of a tenant that is still to be made, or was made a moment ago; null for any other. */
function memoOf(tenant: TenantRead, apart: (tenant: TenantRead) => readonly OwnedRead[], fleet: FleetContext) {
  const { isNew, hash } = tenant;
  if (!isNew && !fleet.made) return null;
  // Of nothing there is no hash. Digests of definitions are of this reading's seed.
  const owned = apart(tenant).map(({ table, phase, index }) => [table, phase, index]);
  const key = JSON.stringify([hash, homeOf(tenant, fleet), owned]);
  const known = told(fleet.tables);
  return {
    known: known.get(key),
    remember(diff: TenantDiff, asked: readonly Question[]) {
      // What one tenant's rows say holds for no other; and what a new one still needs is told of itself.
      const isOfAll = (question: Question) => isFleetWide(question) || question.kind === 'view';
      // What is refused may be right the next time.
      const isRefused = diff.changes.some((made) => made.status === 'blocked');
      if ((isNew && !isRefused) || (diff.changes.length === 0 && asked.every(isOfAll))) known.set(key, diff);
    },
  };
}
