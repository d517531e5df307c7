import type { ApplyRequest } from './request.js';

/** Node's timers count milliseconds in 32 bits: a later deadline would fire at once. */
const LONGEST = 2 ** 31 - 1;

/** How long what was cancelled may clean up and be verified before nothing is waited for; milliseconds. */
const CLEAN_UP = 30_000;

/**
 * Ends a run in time: nothing is begun within `drainTimeout` of the deadline, what still runs at the deadline is cancelled,
 * and a server that does not even answer to that is given up soon after. Gives a function that ends the waiting.
 */
export function keepDeadline({ deadline, limits, control }: ApplyRequest): () => void {
  if (deadline === null) return () => {};
  const left = deadline.getTime() - Date.now();
  if (left <= limits.drainTimeout) control.drain('deadline');
  if (left <= 0) return () => {};
  const timers = [
    setTimeout(() => control.drain('deadline'), Math.min(LONGEST, Math.max(0, left - limits.drainTimeout))),
    setTimeout(() => control.cancel('deadline'), Math.min(LONGEST, left)),
    setTimeout(() => control.abandon('deadline'), Math.min(LONGEST, left + CLEAN_UP)),
  ];
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}
