import { describeTarget } from '../database/connection-failure.js';
import type { Row, Session, TargetDescription } from '../database/session.js';
import { TrueupError } from '../trueup-error.js';

/**
 * Refuses a standby before anything is begun: it would fail each tenant by itself, and the report would say to run again what
 * can never go well there.
 * @throws {TrueupError} SERVER_READ_ONLY
 */
export async function refuseStandby(session: Session, target: TargetDescription): Promise<void> {
  const [row] = await session.query<Row & { standby: boolean }>('select pg_catalog.pg_is_in_recovery() standby');
  if (row?.standby !== true) return;
  throw new TrueupError(
    'SERVER_READ_ONLY',
    `the server is a standby, which takes no changes: ${describeTarget(target)}`,
    {
      where: target.source,
      remedy: 'name the primary; trueup plan works here too',
    },
  );
}
