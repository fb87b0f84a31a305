/** A TCP proxy in front of PostgreSQL that can lose what is said about a COMMIT. */
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** `answer-lost`: it commits, and we never hear of it. `commit-lost`: it never arrives. `mute`: nothing comes back, ever. */
export type CommitFault = 'none' | 'answer-lost' | 'commit-lost' | 'mute';

export interface CommitProxy {
  /** The same database through the proxy. */
  readonly url: string;
  fault: CommitFault;
  close(): Promise<void>;
}

export async function commitProxy(databaseUrl: string): Promise<CommitProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = createConnection(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        if (proxy.fault !== 'mute') upstream.destroy();
      });
    }
    let isCommitting = false;
    client.on('data', (chunk) => {
      isCommitting = chunk.includes('COMMIT');
      if (isCommitting && proxy.fault === 'commit-lost') client.destroy();
      else upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (isCommitting && proxy.fault === 'answer-lost') client.destroy();
      else if (!(isCommitting && proxy.fault === 'mute')) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.port = String((server.address() as AddressInfo).port);
  const proxy: CommitProxy = {
    url: url.href,
    fault: 'none',
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
