/**
 * A number of places, taken and given back; who finds none waits, first come first served. Not p-limit, because a
 * session is held between two calls (`connect`, `close`) and not for the time of one function.
 */
export class Limiter {
  #free: number;
  #closed: Error | null = null;
  readonly #waiting: { readonly take: () => void; readonly fail: (error: Error) => void }[] = [];

  constructor(places: number) {
    if (!Number.isSafeInteger(places) || places < 1) throw new RangeError(`a limit must be at least 1, not ${places}`);
    this.#free = places;
  }

  /** Whether who comes now would have to wait. */
  get isTaken(): boolean {
    return this.#free === 0;
  }

  /** Waits for a place. The function that comes back gives it up; calling that twice does nothing more. */
  async take(): Promise<() => void> {
    if (this.#closed !== null) throw this.#closed;
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((take, fail) => this.#waiting.push({ take, fail }));
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next.take();
    };
  }

  /** Refuses whoever waits and whoever comes. */
  close(reason: Error): void {
    this.#closed = reason;
    for (const { fail } of this.#waiting.splice(0)) fail(reason);
  }
}
