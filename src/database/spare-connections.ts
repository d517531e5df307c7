import type { Socket } from 'node:net';
import type { Client, Connection } from 'pg';

/** A connection between two sessions, and what the first of them has learnt of it. */
export interface SpareConnection {
  readonly client: Client;
  readonly serverVersion: number;
  readonly pid: number;
}

/**
 * Connections between two uses. A new one costs some 20 ms, and its server process has nothing cached: what the old one has
 * read of the catalogs serves the next session too. The one that came last goes first.
 */
export class SpareConnections {
  readonly #spare = new Map<SpareConnection, () => void>();

  /** @param idleTimeout how long one waits for somebody to use it again, in milliseconds */
  constructor(private readonly idleTimeout: number) {}

  get size(): number {
    return this.#spare.size;
  }

  /** Keeps a connection for the next {@link take}, for a while. */
  keep(connection: SpareConnection): void {
    const { client } = connection;
    const drop = (): void => {
      this.#forget(connection);
      leave(client);
    };
    const timer = setTimeout(drop, this.idleTimeout);
    // The server may end it meanwhile.
    client.on('error', drop).on('end', drop);
    this.#spare.set(connection, () => {
      clearTimeout(timer);
      client.off('error', drop).off('end', drop);
    });
  }

  /** A connection that is kept, which is the caller's to end; null: there is none. */
  take(): SpareConnection | null {
    const connection = [...this.#spare.keys()].at(-1) ?? null;
    if (connection !== null) this.#forget(connection);
    return connection;
  }

  /** Ends all that are kept. */
  end(): void {
    for (let spare = this.take(); spare !== null; spare = this.take()) leave(spare.client);
  }

  #forget(connection: SpareConnection): void {
    this.#spare.get(connection)?.();
    this.#spare.delete(connection);
  }
}

/** Says goodbye, and waits for no answer: a server process that has read a whole fleet's catalogs takes 30 ms to go. */
function leave(client: Client): void {
  client.end().catch(() => {});
  // A field that the driver has and its types lack.
  const { connection } = client as Client & { readonly connection: Connection };
  (connection.stream as Socket).unref();
}
