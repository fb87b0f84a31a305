/**
 * One start at a time for one data directory, across processes. The lock is a listening socket in the kernel's
 * abstract namespace (unix(7)): exclusive, and gone with its holder, however that ends, so it cannot be stale.
 */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-error.ts';

const retryMs = 50;

/** Runs `work` while no other process does so for the same directory; waits for it up to `waitMs`. */
export async function whileLocked<T>(directory: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const name = `\0hamrahi-postgres-${createHash('sha256').update(directory).digest('hex')}`;
  const giveUpAtMs = performance.now() + waitMs;
  let server = await tryListen(name);
  while (server === undefined) {
    if (performance.now() > giveUpAtMs) {
      throw new EmbeddedPostgresError(
        'ERR_EMBEDDED_POSTGRES_BUSY',
        `Another process has been starting PostgreSQL in ${directory} for ${Math.round(waitMs / 1000)} s.`,
      );
    }
    await delay(retryMs);
    server = await tryListen(name);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}

async function tryListen(name: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => resolve(server));
  });
}
