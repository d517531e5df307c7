import { Limiter } from '../database/limiter.js';

/** Transactions of one session that may be under way at once: one that runs, and one that the server finds when that is through. */
export const IN_LINE = 2;

/**
 * A worker's session between the tenants that it changes in parallel: a whole transaction may stand in line behind another,
 * anything else needs the session for itself. First come, first served.
 */
export class Gate {
  readonly #places = new Limiter(IN_LINE);

  /** `work` sends one transaction, as a whole. */
  async inLine<T>(work: () => Promise<T>): Promise<T> {
    const give = await this.#places.take();
    try {
      return await work();
    } finally {
      give();
    }
  }

  /** Nothing else is under way while `work` runs. Not to be asked for by who has it, or stands in line. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    // Asked for together: two that wait would else hold a place each, and wait for each other.
    const gives = await Promise.all(Array.from({ length: IN_LINE }, () => this.#places.take()));
    try {
      return await work();
    } finally {
      for (const give of gives) give();
    }
  }
}
