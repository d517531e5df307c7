import pg, { type Client, type ClientConfig } from 'pg';
import { beginSession } from './begin-session.js';
import { connectionFailure } from './connection-failure.js';
import { databaseError, isServerError, messageOf } from './database-errors.js';
import { Limiter } from './limiter.js';
import { CONNECTION_CLOSED, type DatabaseOptions } from './options.js';
import { PgSession } from './pg-session.js';
import type { Database, Session } from './session.js';
import { SpareConnections } from './spare-connections.js';
import type { ServerTarget } from './target.js';
import { type TlsAttempt, tlsAttempts } from './tls.js';
import { VALUE_PARSERS } from './values.js';

const text = (value: string): string => value;

/** Opens sessions on a server, at most `maxSessions` at once; each is a connection of its own. */
export function connectServer(target: ServerTarget, options: DatabaseOptions): Database {
  const { maxSessions = 1, role = null, observe = null, idleTimeout = 10_000 } = options;
  const places = new Limiter(maxSessions);
  const open = new Set<PgSession>();
  const spare = new SpareConnections(idleTimeout);
  // Those that let a session in come first for the next: a server without TLS would be asked for it each time, and forks a
  // process for that.
  let attempts = tlsAttempts(target.connection.tls);
  let clientCheck = true;
  let closed = false;

  const sessionOver = (client: Client, give: () => void): PgSession => {
    const session: PgSession = new PgSession(client, target.secrets, observe, {
      gone() {
        open.delete(session);
        give();
      },
      keep() {
        if (!closed) spare.keep({ client, serverVersion: session.serverVersion, pid: session.pid });
        return !closed;
      },
    });
    open.add(session);
    return session;
  };

  const connect = async (): Promise<Session> => {
    const give = await places.take();
    const kept = spare.take();
    if (kept !== null) return begin(sessionOver(kept.client, give), kept);
    let session: PgSession | null = null;
    try {
      const { client, by } = await connectClient(target, attempts);
      attempts = [by, ...attempts.filter((attempt) => attempt !== by)];
      const opened = sessionOver(client, give);
      session = opened;
      if (closed) throw CONNECTION_CLOSED;
      const begun = await beginSession(
        (sql, values) => opened.query(sql, values),
        { role, clientCheck },
        target.description,
      );
      clientCheck = begun.clientCheck;
      return begin(opened, begun);
    } catch (error) {
      if (session === null) give();
      else await session.close();
      throw connectionFailure(error, target.description, target.secrets);
    }
  };

  return {
    id: options.id,
    target: target.description,
    maxSessions,
    get spare() {
      return spare.size;
    },
    connect,
    async close() {
      closed = true;
      places.close(CONNECTION_CLOSED);
      spare.end();
      await Promise.all([...open].map((session) => session.close()));
    },
    cut() {
      for (const session of [...open]) session.cut();
    },
  };
}

function begin(session: PgSession, known: { readonly serverVersion: number; readonly pid: number }): Session {
  session.serverVersion = known.serverVersion;
  session.pid = known.pid;
  return session;
}

/** Tries the ways that the TLS mode allows, in order; the last failure counts. */
async function connectClient(
  target: ServerTarget,
  attempts: readonly TlsAttempt[],
): Promise<{ readonly client: Client; readonly by: TlsAttempt }> {
  for (const [index, ssl] of attempts.entries()) {
    const client = new pg.Client(clientConfig(target, ssl));
    // An error that comes after the failure of connect(), from the dying socket, must not end the process.
    const ignore = (): void => {};
    client.on('error', ignore);
    try {
      await client.connect();
      return { client, by: ssl };
    } catch (error) {
      await client.end().catch(() => {});
      if (index === attempts.length - 1 || !worthAnother(error, ssl)) {
        throw isServerError(error) ? databaseError(error, target.secrets) : error;
      }
    }
  }
  throw new Error('no way to connect');
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
