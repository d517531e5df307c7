import { isLost } from '../database/database-errors.js';
import { DatabaseError, type Session } from '../database/session.js';
import { inOneMessage } from '../database/transaction.js';

/** Messages of one session that may be under way at once: one that runs, and one that the server finds when that is through. */
const MESSAGES = 2;

/** Transactions that one message holds at most. Each has a cost of its own, to both processes: a write, a wake-up, an answer. */
const TOGETHER = 4;

/** Tenants of one session that may stand in line at once. */
export const IN_LINE = MESSAGES * TOGETHER;

/** A whole transaction that stands in line. */
export interface InLine {
  /** Its statements between BEGIN and COMMIT. */
  readonly statements: readonly string[];
  /** Whether others may be in one message with it. */
  readonly isShort: boolean;
  /** Whether it is still to be made; asked when its turn comes. */
  readonly goesOn: () => boolean;
  /** What its failure is thrown as; asked while the session has nothing else to do, and is in no transaction. Never throws. */
  readonly explain: (error: unknown) => Promise<unknown>;
}

interface Waiting {
  readonly transaction: InLine;
  readonly resolve: (made: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Who waits for the session for themselves. */
interface Alone {
  readonly begin: () => void;
}

/**
 * A worker's session between the tenants that it changes in parallel: whole transactions may stand in line behind one another,
 * and short ones share a message; anything else needs the session for itself. First come, first served.
 */
export class Gate {
  #queue: (Waiting | Alone)[] = [];
  #underWay = 0;
  #isHeld = false;
  #isDue = false;
  #failed: { readonly waiting: Waiting; readonly error: unknown }[] = [];
  /** What is to be sent again: it stood behind a transaction that failed, and was not begun. */
  #behind: Waiting[] = [];

  /** @param session the worker's, which is another after it was lost */
  constructor(private readonly session: () => Session) {}

  /**
   * Makes a transaction; one that stood behind another that failed is sent again. Gives false where it was to be made no
   * longer when its turn came. @throws what it explains its failure by, or the error itself where the connection was lost
   */
  inLine(transaction: InLine): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ transaction, resolve, reject });
      this.#lookSoon();
    });
  }

  /** Nothing else is under way while `work` runs. Not to be asked for by who has it, or stands in line. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    await new Promise<void>((begin) => {
      this.#queue.push({ begin });
      this.#lookSoon();
    });
    return this.#holding(work);
  }

  /** Not at once: several tenants whose transactions came back in one message have their next ones ready one after another. */
  #lookSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#look();
    });
  }

  #look(): void {
    while (!this.#isHeld) {
      const [next] = this.#queue;
      if (this.#isToRecover) {
        if (this.#underWay > 0) return;
        this.#isHeld = true;
        void this.#holding(() => this.#recover());
      } else if (next === undefined) return;
      else if ('begin' in next) {
        if (this.#underWay > 0) return;
        this.#isHeld = true;
        this.#queue.shift();
        next.begin();
      } else {
        if (this.#underWay >= MESSAGES) return;
        const together = this.#takeTogether();
        if (together.length > 0) void this.#send(together);
      }
    }
  }

  async #holding<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.#isHeld = false;
      this.#lookSoon();
    }
  }

  #takeTogether(): readonly Waiting[] {
    const taken: Waiting[] = [];
    while (taken.length < TOGETHER) {
      const [next] = this.#queue;
      if (next === undefined || 'begin' in next) break;
      if (taken.length > 0 && !(next.transaction.isShort && taken[0]?.transaction.isShort)) break;
      this.#queue.shift();
      if (next.transaction.goesOn()) taken.push(next);
      else next.resolve(false);
    }
    return taken;
  }

  async #send(together: readonly Waiting[]): Promise<void> {
    this.#underWay += 1;
    const scripts = together.map(({ transaction }) => transaction.statements);
    const { made, error } = await inOneMessage(this.session(), scripts).catch((error: unknown) => ({ made: 0, error }));
    this.#underWay -= 1;
    for (const { resolve } of together.slice(0, made)) resolve(true);
    if (error !== null) this.#fail(together.slice(made), error);
    this.#lookSoon();
  }

  #fail([first, ...behind]: readonly Waiting[], error: unknown): void {
    if (first === undefined) return;
    const all = [first, ...behind];
    // Whether any of them was made nobody knows.
    if (isLost(error)) for (const { reject } of all) reject(error);
    // Nothing of it was run: what it stood behind has failed, and was still open.
    else if (hasCode(error, IN_FAILED_TRANSACTION) && this.#isToRecover) this.#behind.push(...all);
    // The server parses all of a message before it runs any of it. Whose statement that was shows when each is sent by itself.
    else if (hasCode(error, SYNTAX_ERROR) && behind.length > 0) this.#behind.push(...all.map(byItself));
    else {
      this.#failed.push({ waiting: first, error });
      this.#behind.push(...behind);
    }
  }

  get #isToRecover(): boolean {
    return this.#failed.length > 0 || this.#behind.length > 0;
  }

  async #recover(): Promise<void> {
    const failed = this.#failed.splice(0);
    await this.session()
      .query('ROLLBACK')
      .catch(() => {});
    for (const { waiting, error } of failed) waiting.reject(await waiting.transaction.explain(error));
    this.#queue.unshift(...this.#behind.splice(0));
  }
}

const IN_FAILED_TRANSACTION = '25P02';
const SYNTAX_ERROR = '42601';

const hasCode = (error: unknown, code: string): boolean => error instanceof DatabaseError && error.code === code;

/** In a message of its own from here on. */
const byItself = (waiting: Waiting): Waiting => ({
  ...waiting,
  transaction: { ...waiting.transaction, isShort: false },
});
