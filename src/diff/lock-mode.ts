/** Table-level lock modes by PostgreSQL's names, weakest first. */
export const LOCK_MODES = [
  'NONE',
  'ACCESS SHARE',
  'ROW SHARE',
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
] as const;
export type LockMode = (typeof LOCK_MODES)[number];

/** Whether a lock is as strong as another, or stronger. */
export const isAtLeast = (mode: LockMode, other: LockMode): boolean =>
  LOCK_MODES.indexOf(mode) >= LOCK_MODES.indexOf(other);

/** The strongest of some locks. */
export const strongest = (modes: readonly LockMode[]): LockMode =>
  modes.reduce((most, mode) => (isAtLeast(most, mode) ? most : mode), 'NONE');
