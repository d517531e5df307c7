import { chunk } from '../collections.js';
import type { Session } from '../database/session.js';
import { patiently } from './locked-tenants.js';
import { type CopiedColumns, findPlain, type PlainTables } from './plain-tables.js';

/** Tenants that one statement looks at: whoever asks meanwhile waits for its end. */
const AT_ONCE = 1000;

/**
 * Looks which tables can be copied before anybody asks for their rows, over a session that would be idle: while one session
 * reads in detail what the pass over the catalogs has found, the other has nothing to do. It ends when somebody asks. Nothing
 * hangs on it: what it has not looked at is looked at by whoever copies.
 */
export class RowsAhead {
  readonly #known = new Map<string, PlainTables>();
  #looking: Promise<void> = Promise.resolve();
  #isAsked = false;

  /**
   * Runs something that may begin such a look, and ends no sooner than the look: no session is left busy.
   * @throws what `run` throws
   */
  static async during<T>(run: (ahead: RowsAhead) => Promise<T>): Promise<T> {
    const ahead = new RowsAhead();
    try {
      return await run(ahead);
    } finally {
      ahead.#isAsked = true;
      await ahead.#looking;
    }
  }

  /**
   * Begins to look, and waits for nothing. A look that fails is none.
   * @param of says what is to be copied of each tenant
   */
  begin(
    open: () => Promise<Session>,
    schemas: readonly string[],
    of: () => Promise<readonly (CopiedColumns | null)[]>,
  ): void {
    const before = this.#looking;
    this.#looking = before.then(() => this.#look(open, schemas, of)).catch(() => {});
  }

  /** What is known of the tables of one name, and ends the look: for whoever copies them, who adds to it. */
  async of(copied: CopiedColumns): Promise<PlainTables> {
    this.#isAsked = true;
    await this.#looking;
    return this.#of(copied);
  }

  async #look(
    open: () => Promise<Session>,
    schemas: readonly string[],
    of: () => Promise<readonly (CopiedColumns | null)[]>,
  ): Promise<void> {
    const wanted = (await of()).filter((copied) => copied !== null);
    if (wanted.length === 0) return;
    const session = await open();
    try {
      await patiently(session, async () => {
        for (const copied of wanted)
          for (const part of chunk(schemas, AT_ONCE))
            if (!this.#isAsked) await findPlain(session, part, copied, this.#of(copied));
      });
    } finally {
      await session.release();
    }
  }

  #of({ table, columns }: CopiedColumns): PlainTables {
    const key = JSON.stringify([table, columns]);
    const known: PlainTables = this.#known.get(key) ?? new Map();
    this.#known.set(key, known);
    return known;
  }
}
