/** A TCP proxy on loopback whose connections a test can cut, slow down, or stop without a word as a dead network does. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export interface CuttableProxy {
  readonly port: number;
  /** Ends every present connection at once; new ones are taken. */
  cut(): void;
  /** From now on nothing passes on present connections, one way or both, and nothing ends them. */
  freeze(what: 'all' | 'answers'): void;
  /** Everything takes this much longer, one way; 0: as fast as it can. */
  slow(delayMs: number): void;
  /** New connections are refused, or taken again. */
  refuse(yes: boolean): void;
  stop(): Promise<void>;
}

export async function startCuttableProxy(target: { host: string; port: number }): Promise<CuttableProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let refusing = false;
  let delayMs = 0;
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
    near.pipe(delayed(() => delayMs)).pipe(far);
    far.pipe(delayed(() => delayMs)).pipe(near);
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
        far.unpipe();
        far.pause();
        if (what === 'answers') continue;
        near.unpipe();
        near.pause();
      }
    },
    slow: (ms) => {
      delayMs = ms;
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

/** Passes chunks on in order, each as much later as is wanted when it comes. */
function delayed(delayMs: () => number): Transform {
  return new Transform({
    transform: (chunk, _encoding, done) => {
      const ms = delayMs();
      if (ms === 0) done(null, chunk);
      else setTimeout(() => done(null, chunk), ms);
    },
  });
}
