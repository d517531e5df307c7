import { readIdentity } from '../catalog/database-identity.js';
import type { Database } from '../database/session.js';
import { failedDatabase } from '../plan/failed-database.js';
import type { FailedDatabase } from '../plan/fleet-plan.js';
import type { PlanFile } from '../plan/plan-file.js';
import { TrueupError } from '../trueup-error.js';
import { checkDatabase } from './saved-plan.js';

/** What of a run's databases a saved plan is applied to. */
export interface AdmittedDatabases {
  readonly admitted: readonly Database[];
  /** Those that cannot be reached, and those that the plan does not hold: they could not be planned when it was made. */
  readonly failed: readonly FailedDatabase[];
  /** Databases of the plan that the run was not given. */
  readonly absent: readonly string[];
}

/**
 * Looks at every database before anything is planned: another database's answers would hide that it is another. As in a plan,
 * one that fails hides none of the others.
 * @throws {TrueupError} PLAN_FILE_MISMATCH where one is not the database that the plan calls so, and any error where none is left
 */
export async function admitDatabases(file: PlanFile, databases: readonly Database[]): Promise<AdmittedDatabases> {
  const planned = new Set(file.approved.databases.map(({ id }) => id));
  const looks = await Promise.allSettled(databases.map((database) => look(file, database)));
  const admitted: Database[] = [];
  const errors: { readonly id: string; readonly error: unknown }[] = [];
  for (const [at, database] of databases.entries()) {
    const result = looks[at];
    if (result?.status !== 'rejected') admitted.push(database);
    else {
      const error: unknown = result.reason;
      if (planned.has(database.id) && error instanceof TrueupError && error.code === 'PLAN_FILE_MISMATCH') throw error;
      errors.push({ id: database.id, error });
    }
  }
  const [first] = errors;
  if (first !== undefined && admitted.length === 0) throw first.error;
  const given = new Set(databases.map(({ id }) => id));
  return {
    admitted,
    failed: errors.map(({ id, error }) => failedDatabase(id, error)),
    absent: [...planned].filter((id) => !given.has(id)),
  };
}

async function look(file: PlanFile, database: Database): Promise<void> {
  const session = await database.connect();
  try {
    checkDatabase(file, database, await readIdentity(session));
  } finally {
    await session.release();
  }
}
