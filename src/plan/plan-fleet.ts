import { readIdentity } from '../catalog/database-identity.js';
import { known } from '../collections.js';
import type { Database, Session } from '../database/session.js';
import { approvedPlan } from './approved-plan.js';
import { ASKED_FOR_ALL, type Asked, askedOf } from './asked.js';
import { driftClasses } from './drift-classes.js';
import { type DatabasePlan, type FleetPlan, isInSync, type PlanSummary } from './fleet-plan.js';
import { type PlanRequest, planDatabase } from './plan-database.js';
import { planId } from './plan-file.js';

/**
 * Plans a fleet: what apply would do, and nothing done.
 * @throws {TrueupError} where the fleet cannot be planned as a whole; a single tenant's trouble is part of the plan.
 */
export async function planFleet(database: Database, request: PlanRequest, open?: Session): Promise<FleetPlan> {
  const session = open ?? (await database.connect());
  try {
    const identity = await readIdentity(session);
    const part = { ...(await planDatabase(database, session, request)), identity };
    return assemble([part], askedOf(request.selection, request.allow));
  } finally {
    request.progress.done();
    if (open === undefined) await session.close();
  }
}

/** The plan of a fleet from its databases' parts. */
export function assemble(databases: readonly DatabasePlan[], asked: Asked = ASKED_FOR_ALL): FleetPlan {
  const { desired } = known(databases[0], 'a database of the plan');
  return {
    planId: planId(approvedPlan({ asked, desired, databases })),
    createdAt: new Date(),
    asked,
    desired,
    databases,
    classes: driftClasses(databases),
    summary: summarise(databases),
  };
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
