import { sha256 } from '../sha256.js';

/**
 * The name of an object while it is being put in place: `trueup_` and a hash. Never a suffix of the real name: 63 bytes
 * leave no room, and an application's own `_new` must not be taken for ours.
 */
export function temporaryName(purpose: 'new' | 'old' | 'check', object: string, definition = ''): string {
  return `trueup_${sha256(JSON.stringify([purpose, object, definition])).slice(0, 16)}`;
}

/** trueup's own objects, by name. */
export const isTemporary = (name: string): boolean => /^trueup_[0-9a-f]{16}$/u.test(name);
