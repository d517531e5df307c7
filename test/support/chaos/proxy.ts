import { createServer, connect as open, type Socket } from 'node:net';

/** A way to the server whose connections can be cut, as a network or a firewall does. */
export interface CuttableProxy {
  readonly port: number;
  /** Connections so far. */
  readonly taken: number;
  /** Resets every connection that is open now, on both sides; gives their number. */
  reset(): number;
  /** Passes nothing on any more, and says nothing of it, as a firewall that drops packets. */
  stall(): void;
  close(): Promise<void>;
}

/** Passes connections on to a port of this machine. */
export async function startProxy(to: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  let taken = 0;
  let stalled = false;
  const server = createServer((inbound) => {
    taken += 1;
    const outbound = open({ host: '127.0.0.1', port: to });
    for (const [socket, other] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      sockets.add(socket);
      // A reset comes as an error; the close that follows does the rest.
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        // The other end of a way that is blocked learns of nothing.
        if (!stalled) other.destroy();
      });
      if (!stalled) socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port for the proxy');
  const reset = () => {
    const open = [...sockets];
    for (const socket of open) socket.resetAndDestroy();
    return open.length / 2;
  };
  return {
    port: address.port,
    get taken() {
      return taken;
    },
    reset,
    stall() {
      stalled = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      reset();
      await closed;
    },
  };
}
