import { TrueupError } from '../trueup-error.js';
import { describeTarget } from './connection-failure.js';
import { PIN_SQL, type PinnedOptions, pinnedSettings, pinParameters } from './pinned-settings.js';
import { DatabaseError, type Row, type TargetDescription } from './session.js';

/** The oldest server that is supported: 14. */
const OLDEST = 140_000;

/** Sends a statement before there is a session. Throws {@link DatabaseError}. */
export type Send = (sql: string, parameters: readonly unknown[]) => Promise<readonly Row[]>;

/** Pins a session's settings; gives the server's version number, the session's process and whether the platform can notice a lost client. */
export async function beginSession(
  send: Send,
  options: PinnedOptions,
  target: TargetDescription,
): Promise<{ readonly serverVersion: number; readonly pid: number; readonly clientCheck: boolean }> {
  let rows: readonly Row[];
  try {
    rows = await send(PIN_SQL, pinParameters(pinnedSettings(options)));
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    if (options.clientCheck && error.code === '22023' && error.message.includes('client_connection_check_interval')) {
      return beginSession(send, { ...options, clientCheck: false }, target);
    }
    throw error;
  }
  const serverVersion = Number(rows[0]?.version);
  if (serverVersion < OLDEST) {
    throw new TrueupError('SERVER_TOO_OLD', `PostgreSQL ${String(rows[0]?.shown)} is older than 14`, {
      where: describeTarget(target),
      remedy: 'use PostgreSQL 14 or newer',
    });
  }
  return { serverVersion, pid: Number(rows[0]?.pid), clientCheck: options.clientCheck };
}
