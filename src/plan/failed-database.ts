import { DatabaseError } from '../database/session.js';
import { TrueupError } from '../trueup-error.js';
import type { FailedDatabase } from './fleet-plan.js';

/** Why one database of several is left out. Anything that is neither ours nor the server's is thrown on: a bug. */
export function failedDatabase(database: string, error: unknown): FailedDatabase {
  if (error instanceof TrueupError) {
    const { where, remedy } = error.options;
    const message = where === undefined ? error.message : `${error.message} (${where})`;
    return { database, code: error.code, message, remedy: remedy ?? null };
  }
  if (error instanceof DatabaseError) {
    const lost = /^(?:08|57P|53300)/u.test(error.code);
    const code = error.code === '42501' ? 'PRIVILEGE' : lost ? 'CONNECTION_FAILED' : 'INTERNAL';
    const remedy = error.details.hint ?? 'check the server and its log, and run it again';
    return { database, code, message: `${error.message} (SQLSTATE ${error.code})`, remedy };
  }
  throw error;
}
