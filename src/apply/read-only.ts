import { describeTarget } from '../database/connection-failure.js';
import type { Row, Session, TargetDescription } from '../database/session.js';
import { TrueupError } from '../trueup-error.js';

/**
 * Refuses, before anything is begun, what takes no changes. A standby would fail each tenant by itself, and the report would say
 * to run again what can never go well there. Where sessions are read only by default, a transaction says that it writes, and an
 * online build cannot: of each tenant a part would be changed.
 * @throws {TrueupError} SERVER_READ_ONLY
 */
export async function refuseReadOnly(session: Session, target: TargetDescription): Promise<void> {
  const [row] = await session.query<Row & { standby: boolean; readOnly: boolean }>(
    `select pg_catalog.pg_is_in_recovery() standby, pg_catalog.current_setting('default_transaction_read_only')::bool "readOnly"`,
  );
  if (row?.standby === true)
    throw readOnly(
      `the server is a standby, which takes no changes: ${describeTarget(target)}`,
      'name the primary; trueup plan works here too',
      target,
    );
  if (row?.readOnly === true)
    throw readOnly(
      `sessions are read only, by default_transaction_read_only: ${describeTarget(target)}`,
      'run when changes are wanted again, or turn it off for the role that applies: trueup doctor has the statement',
      target,
    );
}

const readOnly = (message: string, remedy: string, { source }: TargetDescription): TrueupError =>
  new TrueupError('SERVER_READ_ONLY', message, { where: source, remedy });
