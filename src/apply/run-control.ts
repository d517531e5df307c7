/** Every reason for which a run begins nothing new; part of the JSON contract. */
export const STOP_REASONS = ['SIGINT', 'SIGTERM', 'deadline', 'max-failures', 'canary', 'connection'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/**
 * How a run is told to end early. Draining: what is in flight is finished, nothing is begun. Cancelled: what is in flight
 * is cancelled on the server and cleaned up. Abandoned: nothing is waited for any more.
 */
export class RunControl {
  #state: 'running' | 'draining' | 'cancelled' | 'abandoned' = 'running';
  #reason: StopReason | null = null;
  readonly #listeners = new Set<() => void>();

  get state(): 'running' | 'draining' | 'cancelled' | 'abandoned' {
    return this.#state;
  }

  /** The first reason counts: what came later only hastened the end. */
  get reason(): StopReason | null {
    return this.#reason;
  }

  /** Whether something new may be begun. */
  get running(): boolean {
    return this.#state === 'running';
  }

  drain(reason: StopReason): void {
    this.#advance('draining', reason);
  }

  cancel(reason: StopReason): void {
    this.#advance('cancelled', reason);
  }

  abandon(reason: StopReason): void {
    this.#advance('abandoned', reason);
  }

  /** Calls back at every change of state; gives a function that ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #advance(state: 'draining' | 'cancelled' | 'abandoned', reason: StopReason): void {
    const order = ['running', 'draining', 'cancelled', 'abandoned'];
    if (order.indexOf(state) <= order.indexOf(this.#state)) return;
    this.#state = state;
    this.#reason ??= reason;
    for (const listener of [...this.#listeners]) listener();
  }
}
