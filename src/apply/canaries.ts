import { groupBy } from '../collections.js';
import { changeKey } from '../plan/drift-classes.js';
import type { PlannedTenant } from '../plan/fleet-plan.js';

/**
 * The stages in which tenants are converged: the canaries, then the others. Canaries are taken from each drift class in
 * turn, the largest first: five of one kind would say nothing of the others.
 */
export function canaries(tenants: readonly PlannedTenant[], count: number): readonly (readonly string[])[] {
  const all = tenants.map((tenant) => tenant.schema);
  if (count <= 0 || count >= all.length) return [all];
  const classes = [
    ...groupBy(tenants, ({ changes }) => changes.map(({ change }) => changeKey(change)).join('\n')).values(),
  ]
    .map((group) => group.map((tenant) => tenant.schema))
    .sort((left, right) => right.length - left.length);
  const first = new Set<string>();
  for (let at = 0; first.size < count; at += 1)
    for (const schemas of classes) {
      const schema = schemas[at];
      if (schema !== undefined && first.size < count) first.add(schema);
    }
  return [[...first], all.filter((schema) => !first.has(schema))];
}
