import { known } from '../collections.js';
import type { Database, Session } from '../database/session.js';
import { driftClasses, sha256 } from './drift-classes.js';
import { type DatabasePlan, type FleetPlan, isInSync, type PlanSummary } from './fleet-plan.js';
import { type PlanRequest, planDatabase } from './plan-database.js';

/**
 * Plans a fleet: what apply would do, and nothing done.
 * @throws {TrueupError} where the fleet cannot be planned as a whole; a single tenant's trouble is part of the plan.
 */
export async function planFleet(database: Database, request: PlanRequest, open?: Session): Promise<FleetPlan> {
  const session = open ?? (await database.connect());
  try {
    return assemble([await planDatabase(database, session, request)]);
  } finally {
    request.progress.done();
    if (open === undefined) await session.close();
  }
}

/** The plan of a fleet from its databases' parts. */
export function assemble(databases: readonly DatabasePlan[]): FleetPlan {
  const { desired } = known(databases[0], 'a database of the plan');
  return {
    planId: planId(databases),
    createdAt: new Date(),
    desired,
    databases,
    classes: driftClasses(databases),
    summary: summarise(databases),
  };
}

/** The hash of all that an approval of this plan approves; the same fleet in the same state gives the same id. */
function planId(databases: readonly DatabasePlan[]): string {
  const approved = databases.map((database) => ({
    id: database.id,
    host: database.host,
    port: database.port,
    name: database.name,
    desired: database.desired.digest,
    phases: database.desired.phases.filter((phase) => phase.selected).map((phase) => phase.name),
    changes: database.databaseChanges.map((change) => [change.action, change.object, change.steps]),
    tenants: database.tenants
      .filter((tenant) => tenant.changes.length > 0)
      .map((tenant) => [tenant.schema, tenant.fingerprint])
      .sort(),
  }));
  return `sha256:${sha256(JSON.stringify(approved))}`;
}

function summarise(databases: readonly DatabasePlan[]): PlanSummary {
  const tenants = databases.flatMap((database) => database.tenants);
  const having = (status: string) =>
    tenants.filter((tenant) => tenant.changes.some(({ change }) => change.status === status)).length;
  const inSync = tenants.filter(isInSync).length;
  const unreadable = databases.reduce((sum, database) => sum + database.unreadable.length, 0);
  return {
    tenants: tenants.length + unreadable,
    inSync,
    drifted: tenants.length - inSync,
    blocked: having('blocked'),
    deferred: having('deferred'),
    unreadable,
    shapes: databases.reduce((sum, database) => sum + database.shapes, 0),
  };
}
