/**
 * The one error that commands show: what happened, where, what to do. Anything else that reaches the entry point is a
 * bug and is shown as one.
 */
export class TrueupError extends Error {
  override readonly name = 'TrueupError';
  constructor(
    /** Machine-readable, from the closed list {@link ErrorCode}. */
    readonly code: ErrorCode,
    message: string,
    readonly options: {
      /** A place: `desired-state/base.yaml:12:5`, a schema, a host. */
      readonly where?: string;
      /** What the reader can do about it. */
      readonly remedy?: string;
      readonly cause?: unknown;
      /** Further errors of the same load, so that one run shows them all. */
      readonly others?: readonly TrueupError[];
    } = {},
  ) {
    super(message, { cause: options.cause });
  }
}

/** Every code that an error can carry; part of the JSON contract. */
export const ERROR_CODES = [
  'DESIRED_STATE_INVALID',
  'DESIRED_STATE_MISSING',
  'UNKNOWN_BACKEND',
  'INVALID_PARAMETER',
  'BACKEND_NOT_NAMED',
  'LIMIT_EXCEEDED',
  'FRAGMENT_REFUSED',
  'USAGE',
  'NO_TARGET',
  'CONNECTION_FAILED',
  'NO_TENANT',
  'UNKNOWN_SCHEMA',
  'EXTENSION_UNAVAILABLE',
  'EXTENSION_TOO_OLD',
  'SERVER_TOO_OLD',
  'SERVER_READ_ONLY',
  'PRIVILEGE',
  'CONFIRMATION_REQUIRED',
  'TENANT_UNREADABLE',
  'TENANT_LOCKED',
  'TENANT_FAILED',
  'STALE_EVIDENCE',
  'TOO_FEW_CONNECTIONS',
  'POOLER_SHARES_BACKENDS',
  'PLAN_STALE',
  'PLAN_FILE_INVALID',
  'PLAN_FILE_VERSION',
  'PLAN_FILE_MISMATCH',
  'PLAN_FILE_NOT_WRITTEN',
  'OUTPUT_NOT_WRITTEN',
  'BUILD_HELD_UP',
  'BUILD_YIELDED',
  'NOT_CONVERGED',
  'STATEMENT_REFUSED',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];
