import type { ApplyRequest } from './request.js';

/** Node's timers count milliseconds in 32 bits: a later deadline would fire at once. */
const LONGEST = 2 ** 31 - 1;

/**
 * Ends a run in time: nothing is begun within `drainTimeout` of the deadline, and what still runs at the deadline is
 * cancelled. Gives a function that ends the waiting.
 */
export function keepDeadline({ deadline, limits, control }: ApplyRequest): () => void {
  if (deadline === null) return () => {};
  const left = deadline.getTime() - Date.now();
  if (left <= limits.drainTimeout) control.drain('deadline');
  if (left <= 0) return () => {};
  const timers = [
    setTimeout(() => control.drain('deadline'), Math.min(LONGEST, Math.max(0, left - limits.drainTimeout))),
    setTimeout(() => control.cancel('deadline'), Math.min(LONGEST, left)),
  ];
  return () => {
    for (const timer of timers) clearTimeout(timer);
  };
}
