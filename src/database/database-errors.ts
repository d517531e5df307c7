import { redact } from './redact.js';
import { DatabaseError } from './session.js';

/** SQLSTATE for a connection that was lost. */
export const CONNECTION_LOST = '08006';

/** What both drivers attach to the error of a server. */
interface ServerFields {
  readonly message: string;
  readonly code: string;
  readonly severity?: unknown;
  readonly detail?: unknown;
  readonly hint?: unknown;
  readonly where?: unknown;
  readonly constraint?: unknown;
}

/** The error of a driver as ours: with the server's SQLSTATE, or `08006` when it is none of the server's. No secrets. */
export function databaseError(error: unknown, secrets: readonly string[]): DatabaseError {
  if (error instanceof DatabaseError) return error;
  if (!isServerError(error)) {
    return new DatabaseError(
      `the connection to the database is lost: ${redact(messageOf(error), secrets)}`,
      CONNECTION_LOST,
    );
  }
  const text = (value: unknown): string | null =>
    typeof value === 'string' && value !== '' ? redact(value, secrets) : null;
  const [detail, hint, where, constraint] = [error.detail, error.hint, error.where, error.constraint].map(text);
  return new DatabaseError(redact(error.message, secrets), error.code, {
    ...(detail ? { detail } : {}),
    ...(hint ? { hint } : {}),
    ...(where ? { where } : {}),
    ...(constraint ? { constraint } : {}),
  });
}

/** Whether the server itself answered; system errors have a code too, but no severity. */
export const isServerError = (error: unknown): error is ServerFields =>
  error instanceof Error &&
  'severity' in error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^[0-9A-Z]{5}$/u.test(error.code);

/** Whether the session that it came from is of no use any more: lost (08…), or ended by the server (57P01 to 57P05). */
export const isLost = (error: unknown): boolean =>
  error instanceof DatabaseError && (error.code.startsWith('08') || error.code.startsWith('57P'));

/** A message for any failure; an AggregateError (one attempt an address) has none of its own. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '')
    return [...new Set(error.errors.map(messageOf))].join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** The code of a system error (`ECONNREFUSED`), of its first attempt where there were several. */
export function systemCode(error: unknown): string | null {
  if (error instanceof AggregateError && error.errors.length > 0) return systemCode(error.errors[0]);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
