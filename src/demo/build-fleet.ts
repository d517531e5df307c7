import { applyFleet } from '../apply/apply-fleet.js';
import type { Database, Session } from '../database/session.js';
import { DatabaseError } from '../database/session.js';
import type { DesiredState } from '../desired-state/model.js';
import { planFleet } from '../plan/plan-fleet.js';
import type { Progress } from '../progress.js';
import { quoteIdentifier } from '../sql/quote.js';
import { type DemoStatement, DRIFTS } from './drift.js';
import { seedStatements, TENANTS } from './fleet.js';
import { demoRequest } from './request.js';

/**
 * Makes the fleet in an empty database: tenants from the desired state, by the library itself; then rows, as the
 * application would write them; then drift.
 * @throws {Error} when a statement does not end as it must: a bug
 */
export async function buildFleet(database: Database, desired: DesiredState, progress: Progress): Promise<void> {
  const schemas = TENANTS.map((tenant) => tenant.schema);
  const request = demoRequest(desired, progress, { schemas, allowAbsent: true });
  const { tenants } = await applyFleet(database, await planFleet(database, request), request);
  const failed = tenants.find((tenant) => tenant.outcome !== 'converged');
  if (failed !== undefined) {
    throw new Error(`the demonstration's tenant ${failed.schema} is ${failed.outcome}: ${failed.error?.message ?? ''}`);
  }
  const session = await database.connect();
  try {
    progress.phase('filling the tenants', TENANTS.length);
    for (const tenant of TENANTS) {
      await enter(session, tenant.schema);
      for (const sql of seedStatements(tenant)) await session.query(sql);
      progress.advance();
    }
    for (const drift of DRIFTS) {
      for (const schema of drift.tenants) {
        await enter(session, schema);
        for (const statement of drift.statements) await runStatement(session, statement);
      }
    }
  } finally {
    progress.done();
    await session.close();
  }
}

/** Lets statements name the tenant's tables, and the operator classes of the extensions, without a schema. */
const enter = (session: Session, schema: string) =>
  session.query(`SET search_path = ${quoteIdentifier(schema)}, public`);

async function runStatement(session: Session, { sql, fails }: DemoStatement): Promise<void> {
  try {
    await session.query(sql);
  } catch (error) {
    if (fails !== undefined && error instanceof DatabaseError && error.code === fails) return;
    throw error;
  }
  if (fails !== undefined) throw new Error(`the demonstration's statement did not fail: ${sql}`);
}
