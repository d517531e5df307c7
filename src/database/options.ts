import type { StatementObserver } from './session.js';
import { DatabaseError } from './session.js';

/** How a database's sessions are opened. */
export interface DatabaseOptions {
  /** `main`, or what the operator called it. */
  readonly id: string;
  /** At most this many sessions at once; 1 unless given. The embedded PostgreSQL has one, whatever is asked. */
  readonly maxSessions?: number | undefined;
  /** Called with each statement as it is sent. */
  readonly observe?: StatementObserver | undefined;
  /**
   * For so long, in milliseconds, a connection that a run has no more use for waits for the next run, which it saves 20 ms and
   * a server process with nothing cached. Unless given, 10,000: as in the driver's own pool (idleTimeoutMillis).
   */
  readonly idleTimeout?: number | undefined;
  /** `--role`: every session sets this role. */
  readonly role?: string | undefined;
}

/** For whoever waits for a session of a database that was closed. */
export const CONNECTION_CLOSED = new DatabaseError('the database was closed', '08003');
