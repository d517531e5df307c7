import pg, { type Client, type ClientConfig } from 'pg';
import { databaseError, isServerError, messageOf } from './database-errors.js';
import type { DatabaseError } from './session.js';
import type { ServerTarget } from './target.js';
import { type TlsAttempt, tlsAttempts } from './tls.js';
import { VALUE_PARSERS } from './values.js';

/** Connects to a server, by the ways that the TLS mode allows. */
export class Connector {
  readonly #target: ServerTarget;
  /**
   * The way that let the last connection in comes first for the next: a server without TLS would be asked for it each time,
   * and forks a process for that.
   */
  #attempts: readonly TlsAttempt[];

  /** @throws {ConnectionUrlError} see {@link tlsAttempts} */
  constructor(target: ServerTarget) {
    this.#target = target;
    this.#attempts = tlsAttempts(target.connection.tls);
  }

  /** A connection; the failure of the last way counts to which the server gave an answer, else of the last. */
  async connect(): Promise<Client> {
    const attempts = this.#attempts;
    let answer: DatabaseError | null = null;
    for (const [index, ssl] of attempts.entries()) {
      const client = new pg.Client(clientConfig(this.#target, ssl));
      // An error that comes after the failure of connect(), from the dying socket, must not end the process.
      client.on('error', () => {});
      try {
        await client.connect();
        this.#attempts = [ssl, ...this.#attempts.filter((attempt) => attempt !== ssl)];
        return client;
      } catch (error) {
        await client.end().catch(() => {});
        // Else a role that may log in no more would be told, by the way that is tried after it, that the server lacks TLS.
        if (isServerError(error)) answer = databaseError(error, this.#target.secrets);
        if (index === attempts.length - 1 || !worthAnother(error, ssl)) throw answer ?? error;
      }
    }
    throw new Error('no way to connect');
  }
}

/** As libpq: another kind of connection helps when the server has no TLS, or lets this user in by the other kind only. */
function worthAnother(error: unknown, ssl: TlsAttempt): boolean {
  if (isServerError(error)) return error.code === '28000';
  return ssl !== false && /SSL|TLS|EPROTO|handshake/iu.test(messageOf(error));
}

function clientConfig(target: ServerTarget, ssl: TlsAttempt): ClientConfig & Record<string, unknown> {
  const { connection } = target;
  return {
    host: connection.host,
    port: connection.port,
    database: connection.database,
    user: connection.user,
    // A function, because the driver would take an absent password from the process's own environment.
    password: () => (connection.password ?? undefined) as string,
    ssl: ssl === false ? false : { ...ssl },
    sslnegotiation: 'postgres',
    application_name: connection.applicationName,
    connectionTimeoutMillis: connection.connectTimeout,
    enableChannelBinding: connection.channelBinding,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    ...(connection.options === null ? {} : { options: connection.options }),
    types: { getTypeParser: (oid: number) => VALUE_PARSERS.get(oid) ?? text },
  };
}

const text = (value: string): string => value;
