import type { Send } from './begin-session.js';
import { DatabaseError, type Row, type Session, type TransactionsMade } from './session.js';

/** The one session of the embedded PostgreSQL, until it is handed back. */
export class EmbeddedSession implements Session {
  readonly embedded = true;
  readonly pid = 0;
  readonly announcedPid = null;
  #closed: Promise<void> | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #busy = false;

  constructor(
    readonly send: Send,
    readonly serverVersion: number,
    readonly handBack: () => Promise<void>,
  ) {}

  get broken(): boolean {
    return this.#closed !== null;
  }

  async query<R extends Row = Row>(sql: string, parameters: readonly unknown[] = []): Promise<readonly R[]> {
    if (this.#closed !== null) throw new DatabaseError('the session is closed', '08006');
    if (this.#busy) throw new Error('a session sends one statement at a time');
    this.#busy = true;
    const answer = this.send(sql, parameters);
    this.#last = answer.catch(() => {});
    try {
      return (await answer) as readonly R[];
    } finally {
      this.#busy = false;
    }
  }

  /** One by one: there is no way between the process and its engine that could be saved. */
  async script(statements: readonly string[]): Promise<readonly (readonly Row[])[]> {
    const results: (readonly Row[])[] = [];
    for (const statement of statements) results.push(await this.query(statement));
    return results;
  }

  async transactions(scripts: readonly (readonly string[])[]): Promise<TransactionsMade> {
    for (const [made, statements] of scripts.entries())
      try {
        await this.script(statements);
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        return { made, error };
      }
    return { made: scripts.length, error: null };
  }

  /** Waits for the statement in flight: the engine has no second connection to cancel it from. */
  close(): Promise<void> {
    this.#closed ??= this.#last.then(() => this.handBack());
    return this.#closed;
  }

  release(): Promise<void> {
    return this.close();
  }
}
