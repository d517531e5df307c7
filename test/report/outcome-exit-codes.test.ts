import { describe, expect, it } from 'vitest';
import type { FleetOutcome } from '../../src/apply/fleet-outcome.js';
import type { Outcome } from '../../src/apply/outcome.js';
import { applyExitCode, planExitCode } from '../../src/cli/outcome-exit-codes.js';
import type { DatabasePlan } from '../../src/plan/fleet-plan.js';
import {
  addColumn,
  dropIndex,
  ended,
  fleetOutcome,
  fleetPlan,
  refusedRebuild,
  tenant,
  waitingIndex,
} from '../support/plan-fixture.js';

const unreadable = [{ database: 'main', schema: 'u', code: 'TENANT_UNREADABLE', message: 'x' }] as const;

describe('plan ends with', () => {
  it.each<[string, Partial<DatabasePlan>, number, number]>([
    ['nothing to do', { tenants: [tenant('t')] }, 0, 0],
    ['only deferred changes', { tenants: [tenant('t', waitingIndex)] }, 0, 0],
    ['pending changes', { tenants: [tenant('t', addColumn('kind'))] }, 0, 2],
    ['an extension to make', { databaseChanges: [dropIndex('x')] }, 0, 2],
    ['blocked changes beside pending ones', { tenants: [tenant('t', addColumn('kind'), refusedRebuild)] }, 0, 3],
    ['a tenant that cannot be read', { tenants: [tenant('t', refusedRebuild)], unreadable }, 4, 4],
  ])('%s', (_, database, code, detailed) => {
    const plan = fleetPlan(database);
    expect(planExitCode(plan, { detailed: false })).toBe(code);
    expect(planExitCode(plan, { detailed: true })).toBe(detailed);
  });
});

describe('apply ends with', () => {
  it.each<[readonly Outcome[], number, Partial<FleetOutcome>]>([
    [['in-sync', 'converged', 'deferred', 'vanished'], 0, {}],
    [['converged', 'blocked'], 3, {}],
    [['partial', 'stale'], 3, {}],
    [['stale'], 5, {}],
    [['not-attempted'], 5, {}],
    [['failed', 'blocked', 'stale'], 4, {}],
    [['failed'], 130, { ended: 'SIGINT', interrupted: 'SIGINT' }],
    [['not-attempted'], 143, { ended: 'SIGTERM', interrupted: 'SIGTERM' }],
    [['converged'], 143, { ended: 'SIGTERM', interrupted: 'SIGTERM' }],
    [['converged', 'not-attempted'], 5, { ended: 'deadline' }],
    [['converged'], 0, { ended: 'deadline' }],
    [['failed', 'not-attempted'], 4, { ended: 'canary' }],
    [['failed', 'not-attempted'], 4, { ended: 'max-failures' }],
    [['failed', 'not-attempted'], 4, { ended: 'connection' }],
    [['in-sync'], 5, { databaseChanges: [{ change: dropIndex('x'), result: 'not-applied' }] }],
  ])('%j: %i, %j', (outcomes, code, fields) => {
    expect(
      applyExitCode(
        fleetOutcome(
          outcomes.map((outcome, at) => ended(`t${at}`, outcome)),
          fields,
        ),
      ),
    ).toBe(code);
  });
});
