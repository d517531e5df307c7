import type { Connection, Submittable } from 'pg';
import { deferred } from './deferred.js';
import type { Row } from './session.js';
import { VALUE_PARSERS, type ValueParser } from './values.js';
import { pipelined } from './wire-messages.js';

interface Field {
  readonly name: string;
  readonly parse: ValueParser;
}

/**
 * Several statements in one round trip, by the extended protocol: each is one statement, and one Sync stands behind them
 * all. After an error the server skips everything up to that Sync, so that nothing of a transaction runs whose BEGIN, or
 * whose lock, has failed. (The driver's own pipeline mode sends a Sync with each statement: what stands behind a BEGIN
 * that was cancelled would run outside any transaction.) The manual: "Message Flow", Pipelining.
 */
export class Pipeline implements Submittable {
  readonly #answer = deferred<readonly (readonly Row[])[]>();
  /** Rows of each statement; rejected with the first error, as the driver gives it. */
  readonly done = this.#answer.promise;
  readonly #results: Row[][] = [];
  #rows: Row[] = [];
  #fields: readonly Field[] = [];

  constructor(private readonly statements: readonly string[]) {}

  /** The driver calls this when it is the pipeline's turn; what follows are its calls for each message that comes back. */
  submit(connection: Connection): void {
    // One buffer. The driver writes each message by itself: packets that wait for each other to be acknowledged.
    connection.stream.write(pipelined(this.statements));
  }

  handleRowDescription(message: {
    readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
  }): void {
    this.#fields = message.fields.map(({ name, dataTypeID }) => ({
      name,
      parse: VALUE_PARSERS.get(dataTypeID) ?? ((value) => value),
    }));
  }

  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void {
    const values = message.fields;
    this.#rows.push(
      Object.fromEntries(
        this.#fields.map(({ name, parse }, at) => {
          const value = values[at] ?? null;
          return [name, value === null ? null : parse(value)];
        }),
      ),
    );
  }

  handleCommandComplete(): void {
    this.#results.push(this.#rows);
    this.#rows = [];
    this.#fields = [];
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  handleReadyForQuery(): void {
    this.#answer.resolve(this.#results);
  }

  handleError(error: unknown): void {
    this.#answer.reject(error);
  }
}
