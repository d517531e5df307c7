import { readIdentity } from '../catalog/database-identity.js';
import { DatabaseMemory } from '../catalog/database-memory.js';
import { known } from '../collections.js';
import type { Database, Session } from '../database/session.js';
import { NO_PROGRESS } from '../progress.js';
import { TrueupError } from '../trueup-error.js';
import { approvedPlan } from './approved-plan.js';
import { ASKED_FOR_ALL, type Asked, askedOf } from './asked.js';
import { driftClasses } from './drift-classes.js';
import { failedDatabase } from './failed-database.js';
import { type DatabasePlan, type FailedDatabase, type FleetPlan, isInSync, type PlanSummary } from './fleet-plan.js';
import { planDatabase } from './plan-database.js';
import { planId } from './plan-file.js';
import { refusePooler } from './refuse-pooler.js';
import type { PlanRequest } from './request.js';

/**
 * Plans a fleet: what apply would do, and nothing done. Several databases are planned side by side, and one that fails
 * hides none of the others.
 * @throws {TrueupError} POOLER_SHARES_BACKENDS and others, where no database can be planned at all; a single tenant's
 * trouble is part of the plan
 */
export async function planFleet(
  databases: Database | readonly Database[],
  request: PlanRequest,
  open?: Session,
): Promise<FleetPlan> {
  const { progress } = request;
  const all = [databases].flat();
  // The stretches of several databases would take turns on one bar.
  const several = all.length > 1;
  if (several) progress.phase('planning databases', all.length);
  try {
    const settled = await Promise.allSettled(
      all.map(async (database) => {
        const part = await planOne(database, several ? { ...request, progress: NO_PROGRESS } : request, open);
        if (several) progress.advance();
        return part;
      }),
    );
    const planned = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = settled.flatMap((result, at) =>
      result.status === 'rejected' ? [{ database: all[at]?.id ?? '', error: result.reason as unknown }] : [],
    );
    refuseTwice(planned);
    const [first] = failed;
    if (first !== undefined && planned.length === 0) throw first.error;
    const failures = failed.map(({ database, error }) => failedDatabase(database, error));
    return assemble(planned, askedOf(request.selection, request.allow), failures);
  } finally {
    progress.done();
  }
}

/** Two names for one database would count, and change, its tenants twice. */
function refuseTwice(databases: readonly DatabasePlan[]): void {
  const seen = new Map<string, string>();
  for (const { id, identity } of databases) {
    if (identity?.systemIdentifier == null) continue;
    const of = `${identity.systemIdentifier} ${identity.oid}`;
    const other = seen.get(of);
    if (other !== undefined)
      throw new TrueupError('USAGE', `${other} and ${id} are one and the same database`, {
        remedy: 'name each database once',
      });
    seen.set(of, id);
  }
}

async function planOne(database: Database, request: PlanRequest, open: Session | undefined): Promise<DatabasePlan> {
  const session = open ?? (await database.connect());
  try {
    // Not for a session that is lent: whoever lends it may have no other to spare.
    if (open === undefined) await refusePooler(database, session);
    const identity = await readIdentity(session);
    const memory = new DatabaseMemory(database);
    return { ...(await planDatabase(database, session, { ...request, memory })), identity, memory };
  } finally {
    if (open === undefined) await session.release();
  }
}

/** The plan of a fleet from its databases' parts. */
export function assemble(
  databases: readonly DatabasePlan[],
  asked: Asked = ASKED_FOR_ALL,
  failedDatabases: readonly FailedDatabase[] = [],
): FleetPlan {
  const { desired } = known(databases[0], 'a database of the plan');
  return {
    planId: planId(approvedPlan({ asked, desired, databases })),
    createdAt: new Date(),
    asked,
    desired,
    databases,
    failedDatabases,
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
