import { createServer, connect as open, type Socket } from 'node:net';
import { FrontendReader } from './frontend-reader.js';

/** What passed between a client and the server. */
export interface Wire {
  readonly connections: number;
  /** Simple queries (of one or more statements) and executions of prepared ones. */
  readonly statements: number;
  /** Statements that are sent together make one. */
  readonly roundTrips: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/**
 * Does work through a proxy in front of the server, and counts. Null when the connections are encrypted, whose messages
 * cannot be told apart.
 */
export async function countWire(url: string, work: (url: string) => Promise<void>): Promise<Wire | null> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const readers: FrontendReader[] = [];
  let bytesSent = 0;
  let bytesReceived = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const reader = new FrontendReader();
    readers.push(reader);
    const upstream = open({ host: hostname, port: Number(port || 5432), allowHalfOpen: true });
    for (const [from, to, count] of [
      [
        client,
        upstream,
        (chunk: Buffer) => {
          bytesSent += chunk.length;
          reader.sent(chunk);
        },
      ],
      [
        upstream,
        client,
        (chunk: Buffer) => {
          bytesReceived += chunk.length;
          reader.received(chunk);
        },
      ],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      // A reset comes as an error; the close that follows ends the other side.
      from.on('error', () => {});
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', count);
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(proxied(url, server.address()));
  } finally {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  if (readers.some((reader) => reader.encrypted)) return null;
  const connections = readers.filter((reader) => reader.started);
  return {
    connections: connections.length,
    statements: connections.reduce((sum, reader) => sum + reader.statements, 0),
    roundTrips: connections.reduce((sum, reader) => sum + reader.roundTrips, 0),
    bytesSent,
    bytesReceived,
  };
}

function proxied(url: string, address: ReturnType<ReturnType<typeof createServer>['address']>): string {
  if (address === null || typeof address === 'string') throw new Error('no port for the proxy');
  const own = new URL(url);
  own.hostname = '127.0.0.1';
  own.port = String(address.port);
  return own.href;
}
