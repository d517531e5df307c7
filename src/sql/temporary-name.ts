import { sha256 } from '../sha256.js';

/** The names of trueup's own objects begin with this: leftovers of an interrupted run are cleared away whatever the phase. */
export const TEMPORARY_PREFIX = 'trueup_';

/**
 * The name of an object while it is being put in place: the prefix and a hash. Never a suffix of the real name: 63 bytes
 * leave no room, and an application's own `_new` must not be taken for ours.
 */
export function temporaryName(purpose: 'new' | 'old' | 'check', object: string, definition = ''): string {
  return `${TEMPORARY_PREFIX}${sha256(JSON.stringify([purpose, object, definition])).slice(0, 16)}`;
}

/** What {@link temporaryName} gives, as a pattern: for messages that name such an object. */
export const TEMPORARY_NAME = `${TEMPORARY_PREFIX}[0-9a-f]{16}`;

const WHOLE = new RegExp(`^${TEMPORARY_NAME}$`, 'u');

/** Whether an object is trueup's own. */
export const isTemporary = (name: string): boolean => WHOLE.test(name);
