/** A TCP proxy on loopback whose connections a test can cut, or stop without a word as a dead network does. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface CuttableProxy {
  readonly port: number;
  /** Ends every present connection at once; new ones are taken. */
  cut(): void;
  /** From now on nothing passes on present connections, one way or both, and nothing ends them. */
  freeze(what: 'all' | 'answers'): void;
  /** New connections are refused, or taken again. */
  refuse(yes: boolean): void;
  stop(): Promise<void>;
}

export async function startCuttableProxy(target: { host: string; port: number }): Promise<CuttableProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let refusing = false;
  const server = createServer({ noDelay: true }, (near) => {
    if (refusing) {
      near.destroy();
      return;
    }
    const far = connect({ ...target, noDelay: true });
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const cut = (): void => {
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    freeze: (what) => {
      for (const [near, far] of pairs) {
        far.unpipe(near);
        far.pause();
        if (what === 'answers') continue;
        near.unpipe(far);
        near.pause();
      }
    },
    refuse: (yes) => {
      refusing = yes;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
