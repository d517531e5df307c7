import type { Client } from 'pg';
import { CONNECTION_LOST, databaseError } from './database-errors.js';
import { DatabaseError, type Row, type Session, type StatementObserver } from './session.js';
import { parameterText } from './values.js';

/** A session over node-postgres. */
export class PgSession implements Session {
  readonly embedded = false;
  serverVersion = 0;
  #broken: DatabaseError | null = null;
  #closed: Promise<void> | null = null;
  #busy = false;

  constructor(
    readonly client: Client,
    readonly secrets: readonly string[],
    readonly observe: StatementObserver | null,
    readonly release: () => void,
  ) {
    // Without a listener, a server that ends an idle session (a standby's 40001, a shutdown) would end this process.
    client.on('error', (error: unknown) => {
      this.#broken ??= databaseError(error, secrets);
    });
  }

  async query<R extends Row = Row>(sql: string, parameters: readonly unknown[] = []): Promise<readonly R[]> {
    if (this.#closed !== null) throw new DatabaseError('the session is closed', CONNECTION_LOST);
    if (this.#broken !== null) throw this.#broken;
    if (this.#busy) throw new Error('a session sends one statement at a time');
    this.#busy = true;
    try {
      this.observe?.({ sql, parameters });
      // The extended protocol, always: it takes one statement, so that nothing smuggled in behind it can run.
      const query = { text: sql, values: parameters.map(parameterText), queryMode: 'extended' };
      const result = await this.client.query<R>(query);
      return result.rows;
    } catch (error) {
      const known = databaseError(error, this.secrets);
      // "not queryable" says less than the error that made it so
      if (known.code !== CONNECTION_LOST) throw known;
      this.#broken ??= known;
      throw this.#broken;
    } finally {
      this.#busy = false;
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    try {
      await this.client.end();
    } catch {
      // It is gone either way.
    } finally {
      this.release();
    }
  }
}
