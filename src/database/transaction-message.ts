import type { Connection, Submittable } from 'pg';
import { deferred } from './deferred.js';
import { DatabaseError } from './session.js';

/** SQLSTATE internal_error. */
const INTERNAL = 'XX000';

const unexpected = (meant: number, found: number): string =>
  `the server found ${found} statements where ${meant} were meant: this is a bug of trueup; please report it with the statements (--log-level debug)`;

/**
 * Whole transactions as one message, by the simple protocol, whose rows nobody wants. After an error the server leaves out
 * what stands behind it in the message. By the extended protocol each statement is parsed, bound and executed by a message of
 * its own, and kept in between: of a short change that is a tenth of the server's time, and a third of this process's. That
 * each is one statement has been made sure of before: the extended protocol would refuse two. The manual: "Message Flow",
 * Simple Query.
 */
export class TransactionMessage implements Submittable {
  readonly #answer = deferred<void>();
  /** Rejected with the first error, as the driver gives it. */
  readonly done = this.#answer.promise;
  #written = false;
  #through = 0;
  /** The server found others than were meant: of none can be told how far it came. */
  #isOther = false;

  readonly #statements: readonly string[];

  constructor(private readonly transactions: readonly (readonly string[])[]) {
    this.#statements = transactions.flat();
  }

  /** How many of the transactions are through. */
  get made(): number {
    if (this.#isOther) return 0;
    let statements = 0;
    const open = this.transactions.findIndex(({ length }) => {
      statements += length;
      return statements > this.#through;
    });
    return open < 0 ? this.transactions.length : open;
  }

  /**
   * The driver calls this when it is the message's turn; what follows are its calls for each message that comes back. Whoever
   * knows that all before it is whole may write it ahead.
   */
  submit(connection: Connection): void {
    if (this.#written) return;
    this.#written = true;
    // On a line of its own: a statement may end in a comment.
    connection.query(this.#statements.join('\n;\n'));
  }

  handleRowDescription(): void {}

  handleDataRow(): void {}

  handleCommandComplete(): void {
    this.#through += 1;
  }

  handleReadyForQuery(): void {
    const { length } = this.#statements;
    this.#isOther = this.#through > length;
    if (this.#through === length) this.#answer.resolve();
    else this.#answer.reject(new DatabaseError(unexpected(length, this.#through), INTERNAL));
  }

  handleError(error: unknown): void {
    this.#answer.reject(error);
  }
}
