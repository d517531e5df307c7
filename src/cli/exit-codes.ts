/** What a run ends with; docs/commands.md says it of each command. Where several apply, the worst wins. */
export const EXIT_CODES = {
  /** In sync, or converged. */
  success: 0,
  /** An error: of usage, of the files, of the connection. */
  error: 1,
  /** `plan --detailed-exitcode` found pending drift. */
  drift: 2,
  /** Changes are blocked. */
  blocked: 3,
  /** Some tenants failed. */
  failed: 4,
  /** Tenants are left over, stale or not attempted: run again. */
  leftOver: 5,
  /** An apply came to its end, and a part of its output could not be written. */
  outputLost: 6,
  /** Ended by SIGINT. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

/** One of {@link EXIT_CODES}. */
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

const WORST_FIRST: readonly number[] = [1, 130, 143, 4, 3, 5, 6, 2, 0];

/** The worst of several, 0 for none; a code that is not in the list is an error. */
export function worstExitCode(codes: Iterable<number>): ExitCode {
  const ranks = [...codes].map((code) => Math.max(0, WORST_FIRST.indexOf(code)));
  return (WORST_FIRST[Math.min(WORST_FIRST.length - 1, ...ranks)] ?? EXIT_CODES.error) as ExitCode;
}
