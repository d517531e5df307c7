import { groupBy, oncePerObject } from '../collections.js';
import type { Change } from '../diff/change.js';
import { sha256 } from '../sha256.js';
import { showSql } from '../sql/template.js';
import type { DatabasePlan, DriftClass, PlannedTenant } from './fleet-plan.js';

/** Groups the tenants that have changes by what they need: the same statement templates for the same reasons. */
export function driftClasses(databases: readonly DatabasePlan[]): readonly DriftClass[] {
  const drifting = databases.flatMap((database) => database.tenants).filter((tenant) => tenant.changes.length > 0);
  const groups = groupBy(drifting, classKey);
  return [...groups]
    .map(([of, tenants]) => ({ id: sha256(of).slice(0, 12), tenants, changes: tenants[0]?.changes ?? [] }))
    .sort((left, right) => right.tenants.length - left.tenants.length || (left.id < right.id ? -1 : 1));
}

function classKey(tenant: PlannedTenant): string {
  return tenant.changes.map(({ change }) => changeKey(change)).join('\n');
}

/** What makes two changes the same for a reader: everything but names of tenants and members. */
export const changeKey = oncePerObject(
  ({ phase, action, table, object, status, reason, obstacle, hazards, steps }: Change): string =>
    JSON.stringify([
      phase,
      action,
      table,
      object,
      status,
      reason,
      obstacle,
      hazards,
      steps.map((step) => showSql(step.sql)),
    ]),
);
