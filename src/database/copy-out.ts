import type { Connection, Submittable } from 'pg';
import { copiedFields } from './copy-text.js';
import { deferred } from './deferred.js';

/**
 * Several `COPY … TO STDOUT` as one message. COPY reads a table without planning: of a table that a session has not seen, the
 * planner opens every index and reads its first page, three times what reading a handful of rows takes. The manual: "Message
 * Flow", COPY Operations.
 */
export class CopyOut implements Submittable {
  readonly #answer = deferred<void>();
  /** Resolves when all are through; rejected with the first error, behind which none has run. */
  readonly done = this.#answer.promise;
  #at = 0;

  /**
   * @param row is given each row as it comes: of which statement, and its columns' texts
   */
  constructor(
    private readonly text: string,
    private readonly row: (at: number, values: readonly (string | null)[]) => void,
  ) {}

  /** The driver calls this when it is the statements' turn; what follows are its calls for each message that comes back. */
  submit(connection: Connection): void {
    connection.query(this.text);
  }

  handleCopyData(message: { readonly chunk: Buffer }): void {
    this.row(this.#at, copiedFields(message.chunk.toString('utf8')));
  }

  handleCommandComplete(): void {
    this.#at += 1;
  }

  handleReadyForQuery(): void {
    this.#answer.resolve();
  }

  handleError(error: unknown): void {
    this.#answer.reject(error);
  }
}
