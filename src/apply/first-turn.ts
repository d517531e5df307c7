import type { Session } from '../database/session.js';

/** Work that stands in line for several sessions: the first that is free does it, and no other is held up by it. */
export class FirstTurn<T> {
  /** What the work gives, or fails with, once a session has had its turn. */
  readonly result: Promise<T>;
  #isBegun = false;
  #settle: (made: Promise<T>) => void = () => {};

  constructor(private readonly work: (session: Session) => Promise<T>) {
    this.result = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** A session's turn. Settles, and never fails, when the session is free again. */
  async begin(session: Session): Promise<void> {
    if (this.#isBegun) return;
    this.#isBegun = true;
    const made = this.work(session);
    this.#settle(made);
    await made.catch(() => {});
  }
}
