import { calledDatabase } from '../database/database-place.js';
import { DatabaseError, type Session } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import type { DatabasePlan } from '../plan/fleet-plan.js';
import { assertStatement } from '../sql/guard.js';
import { quoteIdentifier } from '../sql/quote.js';
import { renderSql } from '../sql/template.js';
import { TrueupError } from '../trueup-error.js';
import type { FleetOutcome } from './fleet-outcome.js';

/**
 * Makes what a database needs once, before its tenants: extensions.
 * @throws {TrueupError} PRIVILEGE or TENANT_FAILED: no tenant could be converged without them
 */
export async function applyDatabaseChanges(
  session: Session,
  target: DatabasePlan,
): Promise<FleetOutcome['databaseChanges']> {
  const made: FleetOutcome['databaseChanges'][number][] = [];
  for (const change of target.databaseChanges) {
    if (change.status !== 'pending') {
      made.push({ change, result: 'not-applied' });
      continue;
    }
    for (const step of change.steps) {
      await assertStatement(step.sql, { schemas: target.allowedSchemas });
      const sql = renderSql(step.sql, {});
      try {
        await inTransaction(session, 'read write', () => session.query(sql));
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        // Two runs at once: the other one's CREATE EXTENSION was quicker.
        if (error.code === '23505') continue;
        throw new TrueupError(error.code === '42501' ? 'PRIVILEGE' : 'TENANT_FAILED', `${sql}: ${error.message}`, {
          where: `database ${calledDatabase(target)}`,
          remedy:
            error.code === '3F000'
              ? schemaFor(change.object, target)
              : `run as an administrator: ${sql}; then run again`,
          cause: error,
        });
      }
    }
    made.push({ change, result: 'applied' });
  }
  return made;
}

/** What failed for want of a schema would fail for an administrator too. */
function schemaFor(extension: string, { desired }: DatabasePlan): string {
  const schema = desired.extensions.find(({ name }) => name === extension)?.schema ?? null;
  return schema === null
    ? `give extension ${extension} a schema where the desired state lists it, such as schema: public`
    : `run as an administrator: CREATE SCHEMA ${quoteIdentifier(schema)}; then run again`;
}
