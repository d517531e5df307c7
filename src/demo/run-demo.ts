import { applyFleet } from '../apply/apply-fleet.js';
import type { FleetOutcome } from '../apply/fleet-outcome.js';
import type { Database } from '../database/session.js';
import type { DesiredState } from '../desired-state/model.js';
import { isPending } from '../diff/change.js';
import type { FleetPlan } from '../plan/fleet-plan.js';
import { planFleet } from '../plan/plan-fleet.js';
import type { Progress } from '../progress.js';
import { buildFleet } from './build-fleet.js';
import { demoDesiredState, demoRequest } from './request.js';

/** What a demonstration shows, part by part. */
export interface DemoParts {
  /** The fleet stands, drift and all. */
  readonly built: () => void;
  readonly planned: (plan: FleetPlan) => void;
  readonly applied: (outcome: FleetOutcome, desired: DesiredState) => void;
  readonly plannedAgain: (plan: FleetPlan) => void;
}

/** All of it, when it is over. */
export interface DemoResult {
  readonly plan: FleetPlan;
  readonly outcome: FleetOutcome;
  readonly planAfter: FleetPlan;
}

/**
 * Makes a fleet with every kind of drift in an empty database, plans it, applies, and plans it again. What the parts
 * are told as they come is what it gives back.
 */
export async function runDemo(database: Database, parts: DemoParts, progress: Progress): Promise<DemoResult> {
  const desired = await demoDesiredState();
  await buildFleet(database, desired, progress);
  parts.built();
  const request = demoRequest(desired, progress);
  const plan = await planFleet(database, request);
  parts.planned(plan);
  const outcome = await applyFleet(database, plan, request);
  parts.applied(outcome, desired);
  const planAfter = await planFleet(database, request);
  parts.plannedAgain(planAfter);
  return { plan, outcome, planAfter };
}

/** Whether anything is left that apply would do. */
export const hasPending = (plan: FleetPlan): boolean =>
  plan.databases.some((database) => database.databaseChanges.length > 0) ||
  plan.classes.some((group) => group.changes.some(isPending));
