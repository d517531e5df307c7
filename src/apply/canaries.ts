import { groupBy } from '../collections.js';
import { changeKey } from '../plan/drift-classes.js';
import type { PlannedTenant } from '../plan/fleet-plan.js';

/**
 * The stages in which a fleet's tenants are converged: the canaries, then the others. Canaries are taken from each drift
 * class in turn, the largest first: five of one kind would say nothing of the others.
 */
export function stagesOf(tenants: readonly PlannedTenant[], count: number): readonly (readonly PlannedTenant[])[] {
  if (count <= 0 || count >= tenants.length) return [tenants];
  const keyOf = ({ changes }: PlannedTenant) => changes.map(({ change }) => changeKey(change)).join('\n');
  const classes = [...groupBy(tenants, keyOf).values()].sort((left, right) => right.length - left.length);
  const first = new Set<PlannedTenant>();
  for (let at = 0; first.size < count; at += 1)
    for (const group of classes) {
      const tenant = group[at];
      if (tenant !== undefined && first.size < count) first.add(tenant);
    }
  return [[...first], tenants.filter((tenant) => !first.has(tenant))];
}
