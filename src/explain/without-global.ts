import { DatabaseError } from '../database/session.js';
import { inTransaction } from '../database/transaction.js';
import { assertStatement } from '../sql/guard.js';
import { name, renderSql, SCHEMA, sql } from '../sql/template.js';
import type { ExplainContext, TenantProbe } from './context.js';
import type { ExplainedIndex, WithoutGlobal } from './explanation.js';
import { type PlannedProbe, planProbe } from './planned.js';
import { type PreparedProbe, setLocally } from './prepare.js';

/**
 * How long a drop may wait for its lock: everybody who comes later waits behind it. Shorter than deadlock_timeout, so that a
 * deadlock ends us and not the application.
 */
const LOCK_TIMEOUT = '300ms';

/** What the transaction came to; thrown, so that no way leads to a COMMIT. */
class Found extends Error {
  constructor(readonly planned: PlannedProbe) {
    super('rolled back');
  }
}

/**
 * Plans a probe once more as if the given indexes were gone: they are dropped in a transaction that is always rolled back. It
 * holds ACCESS EXCLUSIVE on the table for the length of an EXPLAIN, and waits for that lock no longer than 300 ms.
 */
export async function planWithout(
  context: ExplainContext,
  of: TenantProbe,
  prepared: PreparedProbe,
  indexes: readonly ExplainedIndex[],
): Promise<WithoutGlobal> {
  const { session, request } = context;
  try {
    await inTransaction(session, 'read write', async () => {
      await setLocally(session, {
        lock_timeout: LOCK_TIMEOUT,
        statement_timeout: `${request.statementTimeout}ms`,
        ...of.probe.settings,
      });
      for (const index of indexes) {
        const drop = sql`DROP INDEX ${SCHEMA}.${name(index.name)}`;
        await assertStatement(drop, { schemas: [] });
        await session.query(renderSql(drop, { schema: of.schema }));
      }
      throw new Found(await planProbe(context, of, prepared, false));
    });
  } catch (error) {
    if (error instanceof Found) return withoutGlobal(error.planned, indexes);
    if (!(error instanceof DatabaseError) || session.broken) throw error;
    return { kind: 'refused', indexes, reason: REASONS[error.code] ?? error.message };
  }
  throw new Error('internal: a hypothetical drop was not rolled back');
}

function withoutGlobal(
  { judgement, used, plan, stale }: PlannedProbe,
  indexes: readonly ExplainedIndex[],
): WithoutGlobal {
  // Renamed between the two transactions, another would have gone in its place.
  const left = indexes.find((index) => stale.some((one) => one.oid === index.oid));
  if (left !== undefined) return { kind: 'refused', indexes, reason: `${left.name} was renamed meanwhile: run again` };
  return { kind: 'planned', indexes, ...judgement, used, plan };
}

const REASONS: Readonly<Record<string, string>> = {
  '55P03': `the table was in use and gave no lock within ${LOCK_TIMEOUT}: run again`,
  '42501': 'only the owner of the table may: run as its owner, or with --role',
  '25006': 'the server is a standby: ask the primary',
};
