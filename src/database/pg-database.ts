import type { Client } from 'pg';
import { beginSession } from './begin-session.js';
import { connectionFailure } from './connection-failure.js';
import { Connector } from './connector.js';
import { Limiter } from './limiter.js';
import { CONNECTION_CLOSED, type DatabaseOptions } from './options.js';
import { PgSession } from './pg-session.js';
import type { Database, Session } from './session.js';
import { SpareConnections } from './spare-connections.js';
import type { ServerTarget } from './target.js';

/** Opens sessions on a server, at most `maxSessions` at once; each is a connection of its own. */
export function connectServer(target: ServerTarget, options: DatabaseOptions): Database {
  const { maxSessions = 1, role = null, observe = null, idleTimeout = 10_000 } = options;
  const places = new Limiter(maxSessions);
  const open = new Set<PgSession>();
  const spare = new SpareConnections(idleTimeout);
  const connector = new Connector(target);
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
      const opened = sessionOver(await connector.connect(), give);
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
