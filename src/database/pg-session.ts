import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Connection } from 'pg';
import { CopyOut } from './copy-out.js';
import { CONNECTION_LOST, databaseError } from './database-errors.js';
import { Pipeline } from './pipeline.js';
import {
  DatabaseError,
  type QueryMode,
  type Row,
  type Session,
  type StatementObserver,
  type TransactionsMade,
} from './session.js';
import { TransactionMessage } from './transaction-message.js';
import { parameterText } from './values.js';

/** How long the end of a session behind a pooler may wait for a backend, in milliseconds. */
const UNPIN_TIMEOUT = 2000;

/** What becomes of a session's connection. */
export interface Ended {
  /** The session is over: its place is free. */
  gone(): void;
  /** Keeps the connection for the next session; false: it is to be ended. */
  keep(): boolean;
}

const oneAtATime = (): Error => new Error('a session sends one statement at a time');

/** A field that the driver has and its types lack. */
const connectionOf = (client: Client): Connection =>
  (client as Client & { readonly connection: Connection }).connection;

/** A session over node-postgres. */
export class PgSession implements Session {
  readonly embedded = false;
  serverVersion = 0;
  pid = 0;
  #broken: DatabaseError | null = null;
  #closed: Promise<void> | null = null;
  #busy = false;
  /** The connection was left to the next session. */
  #left = false;
  /** Transactions that are sent and not answered. */
  #transactions = 0;

  constructor(
    readonly client: Client,
    readonly secrets: readonly string[],
    readonly observe: StatementObserver | null,
    readonly ended: Ended,
  ) {
    // Without a listener, a server that ends an idle session (a standby's 40001, a shutdown) would end this process.
    client.on('error', this.#lose);
  }

  get announcedPid(): number | null {
    // A field that the driver has and its types lack.
    const { processID } = this.client as Client & { readonly processID?: unknown };
    return typeof processID === 'number' ? processID : null;
  }

  get broken(): boolean {
    return this.#broken !== null || this.#closed !== null;
  }

  query<R extends Row = Row>(
    sql: string,
    parameters: readonly unknown[] = [],
    { kept = false }: QueryMode = {},
  ): Promise<readonly R[]> {
    return this.#alone(async () => {
      this.observe?.({ sql, parameters });
      // By its text: the connection may have been another session's before, which kept the same. A pooler may give a backend
      // to the next connection with what this one kept.
      const name =
        kept && !this.#pooled ? { name: `trueup_${createHash('sha256').update(sql).digest('hex').slice(0, 32)}` } : {};
      // The extended protocol, always: it takes one statement, so that nothing smuggled in behind it can run.
      const query = { text: sql, values: parameters.map(parameterText), queryMode: 'extended', ...name };
      const result = await this.client.query<R>(query);
      return result.rows;
    });
  }

  script(statements: readonly string[]): Promise<readonly (readonly Row[])[]> {
    return this.#alone(() => {
      for (const sql of statements) this.observe?.({ sql, parameters: [] });
      return this.client.query(new Pipeline(statements)).done;
    });
  }

  async transactions(scripts: readonly (readonly string[])[]): Promise<TransactionsMade> {
    if (this.#busy) throw oneAtATime();
    const message = new TransactionMessage(scripts);
    this.#transactions += 1;
    try {
      await this.#answer(() => {
        for (const sql of scripts.flat()) this.observe?.({ sql, parameters: [] });
        // The driver would write it only when the one before it is answered.
        if (this.#transactions > 1) message.submit(connectionOf(this.client));
        return this.client.query(message).done;
      });
      return { made: scripts.length, error: null };
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      return { made: message.made, error };
    } finally {
      this.#transactions -= 1;
    }
  }

  copyOut(
    statements: readonly string[],
    row: (statement: number, values: readonly (string | null)[]) => void,
  ): Promise<void> {
    return this.#alone(() => {
      const sql = statements.join(';\n');
      this.observe?.({ sql, parameters: [] });
      return this.client.query(new CopyOut(sql, row)).done;
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  release(): Promise<void> {
    this.#closed ??= this.#isClean() && this.ended.keep() ? this.#leave() : this.#end();
    return this.#closed;
  }

  /** Ends the connection without a word, also one that waits for the answer to its goodbye. */
  cut(): void {
    // It is the next session's by now.
    if (this.#left) return;
    this.#broken ??= new DatabaseError('the connection to the database is lost: it was given up', CONNECTION_LOST);
    (connectionOf(this.client).stream as Socket).destroy();
  }

  readonly #lose = (error: unknown): void => {
    this.#broken ??= databaseError(error, this.secrets);
  };

  /** Whether its connection is as it was when the session began, as far as can be told. */
  #isClean(): boolean {
    return this.#broken === null && this.#isIdle && !this.#pooled && this.client.getTransactionStatus() === 'I';
  }

  get #isIdle(): boolean {
    return !this.#busy && this.#transactions === 0;
  }

  /** The connection is another's from here on. */
  async #leave(): Promise<void> {
    this.client.off('error', this.#lose);
    this.#left = true;
    this.ended.gone();
  }

  get #pooled(): boolean {
    return this.announcedPid !== null && this.pid !== 0 && this.announcedPid !== this.pid;
  }

  async #alone<T>(send: () => Promise<T>): Promise<T> {
    if (!this.#isIdle) throw oneAtATime();
    this.#busy = true;
    try {
      return await this.#answer(send);
    } finally {
      this.#busy = false;
    }
  }

  /** @throws {DatabaseError} in place of whatever the driver throws */
  async #answer<T>(send: () => Promise<T>): Promise<T> {
    if (this.#closed !== null) throw new DatabaseError('the session is closed', CONNECTION_LOST);
    if (this.#broken !== null) throw this.#broken;
    try {
      return await send();
    } catch (error) {
      const known = databaseError(error, this.secrets);
      // "not queryable" says less than the error that made it so
      if (known.code !== CONNECTION_LOST) throw known;
      this.#broken ??= known;
      throw this.#broken;
    }
  }

  /**
   * A pooler that shares backends hands this one to the application as it is: with an empty search path its statements
   * would fail. Bounded, since such a pooler may have no backend free.
   */
  async #unpin(): Promise<void> {
    if (!this.#pooled || !this.#isIdle || this.#broken !== null) return;
    const timer = new AbortController();
    const reset = this.client.query('ROLLBACK; RESET ROLE; RESET ALL').finally(() => timer.abort());
    await Promise.race([reset, sleep(UNPIN_TIMEOUT, undefined, { signal: timer.signal, ref: false })]).catch(() => {});
  }

  async #end(): Promise<void> {
    try {
      await this.#unpin();
      await this.client.end();
    } catch {
      // It is gone either way.
    } finally {
      this.ended.gone();
    }
  }
}
