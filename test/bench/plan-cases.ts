import type pg from 'pg';
import { type Case, type Sample, timed } from './measure.js';
import { PLAN_FLOOR_SQL } from './plan-floor.js';
import { probe } from './probing.js';
import { psql } from './psql.js';
import { runTrueup } from './run-process.js';
import { type FleetSize, tenantNames } from './tenants.js';

/** Tenants that are probed at most: probing takes so long that more are reckoned from these. */
export const PROBED = 1000;

/** One whole plan of a fleet that is in sync. */
export const planOfAllPhases = (url: string): Promise<Sample> => plan(IN_SYNC)(url);

/** A whole plan of a fleet that is in sync, in the three ways in which it is run, beside the two baselines. */
export function convergedPlanCases(size: FleetSize, bin: string | null, session: pg.Client): readonly Case[] {
  const { tenants } = size;
  const probed = tenantNames(size).slice(0, PROBED);
  return [
    { id: 'plan', label: 'plan, all phases', tenants, run: planOfAllPhases },
    {
      id: 'plan-extensions',
      label: 'plan, extension phases',
      tenants,
      run: plan(IN_SYNC, '--phase', 'vector', '--phase', 'text-search'),
    },
    {
      id: 'plan-skip',
      label: 'plan --skip-extension-reconcile',
      tenants,
      run: plan(IN_SYNC, '--skip-extension-reconcile'),
    },
    {
      id: 'plan-floor',
      label: 'floor of a plan: psql hashes the catalog rows',
      tenants,
      run: (url) => psql(bin, url, PLAN_FLOOR_SQL),
    },
    {
      id: 'plan-floor-session',
      label: 'the same in an open session',
      tenants,
      counted: false,
      run: () => timed(() => session.query(PLAN_FLOOR_SQL)),
    },
    {
      id: 'probing',
      label: 'probing, tenant by tenant',
      tenants: probed.length,
      run: (url) => timed(() => probe(url, probed)),
    },
  ];
}

/** A plan of the fleet after it was damaged. */
export const driftPlanCase = (tenants: number): Case => ({
  id: 'plan-drift',
  label: 'plan, 1% of the tenants drifting in 5 ways',
  tenants,
  run: plan(DRIFTED),
});

/** Exit codes of `plan --detailed-exitcode`: a plan that found something else was not the one to be measured. */
const IN_SYNC = 0;
const DRIFTED = 2;

const plan =
  (exitCode: number, ...flags: readonly string[]) =>
  (url: string) =>
    runTrueup(['plan', '--quiet', '--detailed-exitcode', '--database-url', url, ...flags], exitCode);
