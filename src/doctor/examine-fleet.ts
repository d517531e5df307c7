import { DEFAULT_LIMITS, runDefaults } from '../apply/request.js';
import type { Database } from '../database/session.js';
import { failedDatabase } from '../plan/failed-database.js';
import { NO_PROGRESS } from '../progress.js';
import type { Examination } from './examination.js';
import { examineDatabase } from './examine-database.js';
import type { DoctorRequest } from './request.js';

/** What the checks judge against unless they are told otherwise: what a bare apply would do. */
export const doctorDefaults = (): Pick<DoctorRequest, 'concurrency' | 'lockTimeout' | 'longTransaction'> => ({
  concurrency: runDefaults().concurrency,
  lockTimeout: DEFAULT_LIMITS.lockTimeout,
  longTransaction: DEFAULT_LIMITS.lockWait,
});

/**
 * Looks at what surrounds a fleet: servers, roles, extensions, whoever else is at work. Reads catalogs only, in a number of
 * statements that does not grow with the tenants; works as a role that may only read, and on a hot standby. Several
 * databases are looked at side by side, and one that fails hides none of the others.
 * @param databases with room for 4 sessions, so that a pooler can be told
 * @throws {TrueupError} where no database can be looked at; {DatabaseError} likewise
 *
 * @example
 * const seen = await examineFleet(database, { desired, selection, progress: NO_PROGRESS, ...doctorDefaults() });
 * for (const { check, what } of seen.databases.flatMap(({ findings }) => findings)) console.log(check, what);
 */
export async function examineFleet(
  databases: Database | readonly Database[],
  request: DoctorRequest,
): Promise<Examination> {
  const all = [databases].flat();
  const { progress } = request;
  const several = all.length > 1;
  if (several) progress.phase('looking at databases', all.length);
  try {
    const settled = await Promise.allSettled(
      all.map(async (database) => {
        const examined = await examineOne(database, several ? { ...request, progress: NO_PROGRESS } : request);
        if (several) progress.advance();
        return examined;
      }),
    );
    const examined = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = settled.flatMap((result, at) =>
      result.status === 'rejected' ? [{ database: all[at]?.id ?? '', error: result.reason as unknown }] : [],
    );
    const [first] = failed;
    if (first !== undefined && examined.length === 0) throw first.error;
    return {
      createdAt: new Date(),
      databases: examined,
      failedDatabases: failed.map(({ database, error }) => failedDatabase(database, error)),
    };
  } finally {
    progress.done();
  }
}

async function examineOne(database: Database, request: DoctorRequest) {
  const session = await database.connect();
  try {
    return await examineDatabase(database, session, request);
  } finally {
    await session.close();
  }
}
